// Between the browser and the devstack: it holds answers back, loses them, answers in the API's place, and changes what is served, so that
// a test decides what happens when. It also puts a stage's path in front, as API Gateway's own address has one.

import { createHash } from "node:crypto";
import http from "node:http";

/** What stands in front of every path. */
export const STAGE = "/prod";

/**
 * @typedef {{method: string, path: string, headers: http.IncomingHttpHeaders, status?: number, answer?: string}} Exchange
 * @typedef {(exchange: Exchange) => boolean} Which
 */

/** @param {string} upstream the devstack's base URL */
export async function startProxy(upstream) {
  const target = new URL(upstream);
  /** @type {Exchange[]} */
  const seen = [];
  /** @type {{which: Which, act: (exchange: Exchange) => Promise<"pass" | "lose" | {status: number, headers?: object, body: string}>, after: boolean}[]} */
  let rules = [];
  /** @type {{file: string, from: string, to: string}[]} */
  const patches = JSON.parse(process.env.BREAK ?? "[]");

  const server = http.createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });

  async function answer(request, response) {
    if (!request.url.startsWith(`${STAGE}/`)) return response.writeHead(404, { "content-type": "text/html" }).end("<title>Elsewhere</title>");
    const path = request.url.slice(STAGE.length);
    const exchange = { method: request.method, path, headers: request.headers };
    seen.push(exchange);
    const before = await decide(exchange, false);
    if (before !== "pass") {
      exchange.status = before.status;
      return response.writeHead(before.status, { "content-type": "application/json", ...before.headers }).end(before.body);
    }
    const got = await forward(request, path);
    exchange.status = got.status;
    exchange.answer = got.headers["content-encoding"] ? "" : got.body.toString();
    const after = await decide(exchange, true);
    if (after === "lose") return breakOff(response);
    const body = patched(path, got);
    response.writeHead(got.status, got.headers).end(body);
  }

  /** The beginning of an answer and no more: at nothing at all, a browser would send the request again by itself. */
  function breakOff(response) {
    response.writeHead(200, { "content-type": "application/json", "content-length": 100 });
    response.write("{", () => response.destroy());
  }

  /** @param {Exchange} exchange @param {boolean} after */
  async function decide(exchange, after) {
    const rule = rules.find((it) => it.after === after && it.which(exchange));
    return rule ? rule.act(exchange) : "pass";
  }

  function forward(request, path) {
    const headers = { ...request.headers, host: target.host };
    // To the browser, the proxy is the dashboard's origin; whatever else it sends, it sends on.
    if (headers.origin === `http://${request.headers.host}`) headers.origin = target.origin;
    // What is to be changed has to be readable.
    if (patches.length > 0) delete headers["accept-encoding"];
    return new Promise((resolve, reject) => {
      const out = http.request({ host: target.hostname, port: target.port, method: request.method, path, headers }, (incoming) => {
        const parts = [];
        incoming.on("data", (part) => parts.push(part));
        incoming.on("end", () => resolve({ status: incoming.statusCode, headers: incoming.headers, body: Buffer.concat(parts) }));
      });
      out.on("error", reject);
      request.pipe(out);
    });
  }

  /** A file of the app as it is, or broken on purpose to see a test fail. */
  function patched(path, { body, headers }) {
    const file = path === "/dashboard" ? "index.html" : path.split("/").at(-1);
    const mine = patches.filter((patch) => patch.file === file);
    if (mine.length === 0 || body.length === 0) return body;
    let text = body.toString();
    if (file === "index.html") {
      // The policy names the style by its hash; the broken one is to be seen as well.
      headers["content-security-policy"] = headers["content-security-policy"]?.replace(/; style-src [^;]*/, "");
    }
    for (const { from, to } of mine) {
      if (!text.includes(from)) {
        console.log(`nothing to break: ${file} has no ${from}`);
        continue;
      }
      text = text.replaceAll(from, to);
    }
    delete headers["content-length"];
    delete headers.etag;
    if (file === "index.html") {
      const style = text.split("<style>")[1].split("</style>")[0];
      headers["content-security-policy"] += `; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`;
    }
    return text;
  }

  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    origin,
    url: `${origin}${STAGE}/dashboard`,
    elsewhere: `${origin}/elsewhere`,
    seen,
    /** No rule any more. */
    calm() {
      rules = [];
    },
    /**
     * Holds the requests that match until they are released, `after` the devstack has answered or before it is asked.
     * @param {Which} which @param {{after?: boolean, most?: number}} [options] `most`: how many of them
     */
    hold(which, { after = false, most = Infinity } = {}) {
      let release = () => {};
      let arrive = () => {};
      const released = new Promise((resolve) => (release = () => resolve("pass")));
      const arrived = new Promise((resolve) => (arrive = () => resolve(undefined)));
      let left = most;
      rules.unshift({ after, which: (exchange) => left > 0 && which(exchange), act: () => {
        left -= 1;
        arrive();
        return released;
      } });
      return { arrived, release };
    },
    /** Loses answers: the devstack has done what was asked, and nobody is told. @param {Which} which @param {number} times */
    lose(which, times) {
      let left = times;
      rules.unshift({ after: true, which: (exchange) => left > 0 && which(exchange), act: async () => {
        left -= 1;
        return "lose";
      } });
    },
    /** Answers itself. @param {Which} which @param {number} times @param {number} status @param {object | string} body @param {object} [headers] */
    instead(which, times, status, body, headers = {}) {
      let left = times;
      rules.unshift({ after: false, which: (exchange) => left > 0 && which(exchange), act: async () => {
        left -= 1;
        return { status, headers, body: typeof body === "string" ? body : JSON.stringify(body) };
      } });
    },
    close: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve(undefined));
    }),
  };
}

/** Requests by method and the end of their path. @param {string} method @param {string} end @returns {Which} */
export function to(method, end) {
  return (exchange) => exchange.method === method && exchange.path.split("?")[0].endsWith(end);
}
