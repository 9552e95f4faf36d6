/**
 * Serves the facts about the services' containers at :9323/metrics; reads the engine through
 * ENGINE_PROXY_URL.
 */
import { systemClock } from "../../../base/clock.ts";
import { httpUrl, processEnv, readEnv } from "../../../base/env.ts";
import { messageOf } from "../../../base/errors.ts";
import { underLocalNames } from "../../../base/host.ts";
import { Engine } from "../engine.ts";
import { FactReader } from "./facts.ts";
import { TimelyFacts } from "./timely-facts.ts";

const PORT = 9323;
const TEXT = { "content-type": "text/plain; version=0.0.4; charset=utf-8" };

try {
  const url = readEnv(processEnv(), "ENGINE_PROXY_URL", "http://engine-proxy:2375", httpUrl);
  // The proxy always answers for its own project.
  const reader = new FactReader(new Engine({ host: url, socket: undefined, url }), "");
  const facts = new TimelyFacts((nowMs) => reader.render(nowMs), systemClock);
  Bun.serve({
    port: PORT,
    hostname: "0.0.0.0",
    development: false,
    fetch: underLocalNames(async (request) => {
      const { pathname } = new URL(request.url, "http://runtime-metrics");
      if (pathname === "/healthz") return new Response("ok\n");
      if (pathname !== "/metrics") return new Response("not found\n", { status: 404 });
      try {
        return new Response(await facts.text(), { headers: TEXT });
      } catch (error) {
        return new Response(`${messageOf(error)}\n`, { status: 502 });
      }
    }),
  });
  process.on("SIGTERM", () => process.exit(0));
} catch (error) {
  process.stderr.write(`runtime-metrics: ${messageOf(error)}\n`);
  process.exit(1);
}
