// better-auth in process, over its adapter in memory: what verifying a key and signing in cost there, without a network or a database.
// Prints one JSON object: medians in microseconds of time and of processor.
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { apiKey } from "@better-auth/api-key";

const auth = betterAuth({
  database: memoryAdapter({ user: [], session: [], account: [], verification: [], apikey: [] }),
  secret: "not-a-secret-for-a-measurement-0123456789",
  baseURL: "http://localhost:3000",
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  logger: { disabled: true },
  plugins: [apiKey({ rateLimit: { enabled: false } })],
});

const email = "owner@bench.example";
const password = "demo-password-123";
const signedUp = await auth.api.signUpEmail({ body: { email, password, name: "Owner" } });
const created = await auth.api.createApiKey({ body: { name: "bench", userId: signedUp.user.id } });

async function measure(calls, once) {
  for (let n = 0; n < calls / 5; n++) await once();
  const times = [];
  const cpu = process.cpuUsage();
  for (let n = 0; n < calls; n++) {
    const start = process.hrtime.bigint();
    await once();
    times.push(Number(process.hrtime.bigint() - start) / 1000);
  }
  const used = process.cpuUsage(cpu);
  times.sort((a, b) => a - b);
  return { p50: times[calls >> 1], cpu: (used.user + used.system) / calls };
}

const key = await measure(2000, async () => {
  const answer = await auth.api.verifyApiKey({ body: { key: created.key } });
  if (!answer.valid) throw new Error(`better-auth refuses its own key: ${JSON.stringify(answer)}`);
});
const signIn = await measure(20, async () => {
  const answer = await auth.api.signInEmail({ body: { email, password } });
  if (!answer.token) throw new Error("better-auth gave no token");
});
console.log(JSON.stringify({ key, signIn }));
