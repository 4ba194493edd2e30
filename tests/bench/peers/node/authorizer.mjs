// A Node authorizer as one writes it today: aws-jwt-verify for tokens, the AWS SDK v3 for keys, one bundle.
// The client of the runtime API is as small as can be, so Node starts faster here than with AWS's own one.
import { createHash } from "node:crypto";
import { Agent, request } from "node:http";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { JwtVerifier } from "aws-jwt-verify";

const table = process.env.TABLE_NAME;
const client = new DynamoDBClient({ endpoint: process.env.AWS_ENDPOINT_URL_DYNAMODB });
let verifier;

async function item(pk, sk, consistent) {
  const command = new GetItemCommand({ TableName: table, Key: { pk: { S: pk }, sk: { S: sk } }, ConsistentRead: consistent });
  return (await client.send(command)).Item;
}

async function tokens() {
  if (verifier) return verifier;
  const set = await item("KEYSET", "KEYSET", false);
  const issuer = set.issuer.S;
  const made = JwtVerifier.create({ issuer, audience: process.env.TOKEN_AUDIENCE, jwksUri: `${issuer}/.well-known/jwks.json` });
  const keys = set.keys.L.map(({ M }) => Object.fromEntries(Object.entries(M).map(([name, value]) => [name, value.S])));
  made.cacheJwks({ keys });
  return (verifier = made);
}

async function whoIs(credential) {
  if (credential.startsWith("sk_")) {
    const hash = createHash("sha256").update(credential).digest("hex");
    const found = await item(`KEYHASH#${hash}`, "CREDENTIAL", true);
    if (!found || found.revoked_at) throw new Error("Unauthorized");
    return { principal_id: found.api_key_id.S, org_id: found.org_id.S, env: found.env.S, auth_method: "api_key" };
  }
  const claims = await (await tokens()).verify(credential);
  return { principal_id: claims.sub, org_id: claims.org, role: claims.role, session_id: claims.sid, auth_method: "jwt" };
}

async function handle(event) {
  const credential = /^Bearer (\S+)$/.exec(event.authorizationToken)?.[1];
  if (!credential) throw new Error("Unauthorized");
  const context = await whoIs(credential);
  return {
    principalId: context.principal_id,
    policyDocument: {
      Version: "2012-10-17",
      Statement: [{ Action: "execute-api:Invoke", Effect: "Allow", Resource: event.methodArn }],
    },
    context,
  };
}

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const sent = request({ host, port, method, path: `/2018-06-01/runtime/${path}`, agent, headers }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve({ headers: answer.headers, body: Buffer.concat(parts).toString() }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

for (;;) {
  const next = await call("GET", "invocation/next");
  const id = next.headers["lambda-runtime-aws-request-id"];
  try {
    await call("POST", `invocation/${id}/response`, JSON.stringify(await handle(JSON.parse(next.body))));
  } catch (error) {
    await call("POST", `invocation/${id}/error`, JSON.stringify({ errorType: error.name, errorMessage: error.message }));
  }
}
