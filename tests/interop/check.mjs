// Tries one library with everything log_in.py prints, read from standard input. One line; exit code 1 when it judges anything wrongly.

import { readFileSync } from "node:fs";

/** What log_in.py printed. */
export const given = JSON.parse(readFileSync(0, "utf8"));

/**
 * @param {string} name the npm package
 * @param {(jwksUri: string, it: {token: string, issuer: string, audience: string}) => Promise<{sub?: string}>} verify gives the
 *   claims, or throws
 * @param {{label?: string, more?: (wrong: string[]) => Promise<void>}} options whose code the library is in, and what else is tried
 */
export async function check(name, verify, { label, more = async () => {} } = {}) {
  const path = new URL(`./node_modules/${name}/package.json`, import.meta.url);
  const version = `${name} ${JSON.parse(readFileSync(path, "utf8")).version}`;
  const library = label ? `${label} (${version})` : version;
  const { jwks_uri: jwksUri, genuine, refused } = given;
  const wrong = [];
  try {
    const claims = await verify(jwksUri, genuine);
    if (!claims.sub?.startsWith("usr_")) wrong.push(`gives no user: ${claims.sub}`);
  } catch (error) {
    wrong.push(`refuses the genuine token: ${error}`);
  }
  for (const it of refused) {
    const accepted = await verify(jwksUri, it).then(
      () => true,
      () => false,
    );
    if (accepted) wrong.push(`accepts a token it must refuse: ${it.name}`);
  }
  await more(wrong);
  const verdict = wrong.length ? `FAILED: ${wrong.join("; ")}` : `accepts the genuine token, refuses ${refused.length} others`;
  console.log(`${library}: ${verdict}`);
  process.exitCode = wrong.length ? 1 : 0;
}
