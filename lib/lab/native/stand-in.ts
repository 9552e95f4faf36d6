/**
 * Plays a service or the telemetry server, so that the lab can be tested without the programs that run in it.
 * `bun stand-in.ts <name>`. Variables make it misbehave: `STAND_IN_BURN` uses a whole processor,
 * `STAND_IN_GROW_BYTES` takes that much memory and more, until the kernel stops it.
 */
import { processEnv } from "../../base/env.ts";
import { isServiceName, TOPOLOGY } from "../../contract/topology.ts";
import { GATEWAY, INNER_PORTS } from "./layout.ts";

const name = Bun.argv[2] ?? "";
const env = processEnv();

function answer(request: Request): Response {
  const { pathname } = new URL(request.url);
  if (pathname === "/api/picture") return Response.json({ track_count: 3 });
  if (pathname === "/api/health") return Response.json({ database: "ok" });
  const sensor = env["STAND_IN_LABEL"] ?? "";
  return new Response(`stand_in_up{uid="${process.getuid?.()}",label="${sensor}"} 1\n`);
}

function burn(): void {
  const endMs = performance.now() + 20;
  while (performance.now() < endMs);
  setTimeout(burn);
}

const hoard: Uint8Array[] = [];
function grow(bytes: number): void {
  hoard.push(new Uint8Array(bytes).fill(1));
  setTimeout(grow, 0, bytes);
}

if (isServiceName(name)) {
  const { metricsPort, httpPort } = TOPOLOGY[name];
  Bun.serve({ port: metricsPort, fetch: answer });
  if (httpPort !== undefined) Bun.serve({ port: httpPort, fetch: answer });
} else {
  Bun.serve({ hostname: GATEWAY, port: INNER_PORTS.console, fetch: answer });
}
process.stdout.write(`${JSON.stringify({ event: "service_starting", service: name })}\n`);
process.on("SIGTERM", () => process.exit(0));
if (env["STAND_IN_BURN"] !== undefined) burn();
if (env["STAND_IN_GROW_BYTES"] !== undefined) grow(Number(env["STAND_IN_GROW_BYTES"]));
