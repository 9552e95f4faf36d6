/**
 * Replaces a service or the telemetry server in tests of the lab itself: `bun stand-in.ts <name>`.
 * Its metrics show its user id and the variable `STAND_IN_LABEL`.
 */
import { processEnv } from "../../../base/env.ts";
import { isServiceName, TOPOLOGY } from "../../../contract/topology.ts";
import { GATEWAY, INNER_PORTS } from "../layout.ts";

const name = Bun.argv[2] ?? "";
const env = processEnv();

function answer(request: Request): Response {
  const { pathname } = new URL(request.url);
  if (pathname === "/api/picture") return Response.json({ track_count: 3 });
  if (pathname === "/api/health") return Response.json({ database: "ok" });
  const label = env["STAND_IN_LABEL"] ?? "";
  return new Response(`stand_in_up{uid="${process.getuid?.()}",label="${label}"} 1\n`);
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
