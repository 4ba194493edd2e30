// A payments API without a gateway in front of it. People only: an API key cannot be verified outside, it is looked up.
//
// ISSUER=https://… AUDIENCE=syncgram-pay PORT=8080 node server.mjs

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { NotAuthentic, Unavailable, verifier } from "./verify.mjs";

const { ISSUER, AUDIENCE = "syncgram-pay", PORT = "8080" } = process.env;
if (!ISSUER) throw new Error("ISSUER is missing: the `iss` of the tokens, which is the authentication API's base URL");
const verify = verifier({ issuer: ISSUER, audience: AUDIENCE });

class Refused extends Error {
  constructor(status, code, message, headers = {}) {
    super(message);
    Object.assign(this, { status, code, headers });
  }
}

async function caller(request) {
  // Two headers are none: node joins them by a comma, which no token has.
  const bearer = /^bearer +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/i.exec(request.headers.authorization ?? "");
  try {
    if (!bearer) throw new NotAuthentic("no access token");
    const claims = await verify(bearer[1]);
    return { user_id: claims.sub, org_id: claims.org, role: claims.role, session_id: claims.sid };
  } catch (error) {
    if (error instanceof NotAuthentic) {
      const message = "The credential is missing, malformed or expired. Send Authorization: Bearer with a valid access token.";
      throw new Refused(401, "unauthorized", message, { "WWW-Authenticate": 'Bearer realm="payments"' });
    }
    if (!(error instanceof Unavailable)) throw error;
    console.error(error.message, error.cause);
    throw new Refused(503, "service_unavailable", "The service is not available for the moment.", { "Retry-After": "5" });
  }
}

async function answer(request) {
  const who = await caller(request);
  if (request.method === "GET" && request.url === "/payments") return { ...who, payments: [] };
  if (request.method === "POST" && /^\/refunds\/\w+$/.test(request.url)) {
    if (!["owner", "admin"].includes(who.role)) throw new Refused(403, "insufficient_role", "Your role does not allow this.");
    return { id: request.url.split("/")[2], status: "refunded" };
  }
  throw new Refused(404, "not_found", "There is nothing here.");
}

const server = createServer(async (request, response) => {
  const request_id = randomUUID();
  let [status, headers, body] = [200, {}, {}];
  try {
    body = { success: true, data: await answer(request) };
  } catch (error) {
    if (!(error instanceof Refused)) console.error(error);
    ({ status, headers } = error instanceof Refused ? error : { status: 500, headers: {} });
    const { code, message } = status === 500 ? { code: "internal", message: "That was our mistake." } : error;
    body = { success: false, error: { code, message, request_id } };
  }
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store", "X-Request-Id": request_id, ...headers });
  response.end(JSON.stringify(body));
});
server.listen(Number(PORT), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
