// Tries one library with everything log_in.py prints, read from standard input. One line; exit code 1 when it judges anything wrongly.

import { readFileSync } from "node:fs";

/**
 * @param {string} name the npm package
 * @param {(jwksUri: string, it: {token: string, issuer: string, audience: string}) => Promise<{sub?: string}>} verify gives the
 *   claims, or throws
 */
export async function check(name, verify) {
  const path = new URL(`./node_modules/${name}/package.json`, import.meta.url);
  const library = `${name} ${JSON.parse(readFileSync(path, "utf8")).version}`;
  const { jwks_uri: jwksUri, genuine, refused } = JSON.parse(readFileSync(0, "utf8"));
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
  const verdict = wrong.length ? `FAILED: ${wrong.join("; ")}` : `accepts the genuine token, refuses ${refused.length} others`;
  console.log(`${library}: ${verdict}`);
  process.exitCode = wrong.length ? 1 : 0;
}
