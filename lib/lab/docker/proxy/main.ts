/** Serves the read-only endpoints of the engine's API at :2375 for the project CMS_PROJECT only. */
import { systemClock } from "../../../base/clock.ts";
import { endpointOf } from "../../../base/container-engine.ts";
import { processEnv } from "../../../base/env.ts";
import { messageOf, UsageError } from "../../../base/errors.ts";
import { underLocalNames } from "../../../base/host.ts";
import { Engine } from "../engine.ts";
import { createProxy } from "./proxy.ts";

const PORT = 2375;

try {
  const project = processEnv()["CMS_PROJECT"] ?? "";
  if (project === "")
    throw new UsageError("CMS_PROJECT must name the compose project, but is empty");
  const engine = new Engine(endpointOf("unix:///var/run/docker.sock"));
  Bun.serve({
    port: PORT,
    hostname: "0.0.0.0",
    development: false,
    fetch: underLocalNames(createProxy({ engine, project, clock: systemClock })),
  });
  process.on("SIGTERM", () => process.exit(0));
} catch (error) {
  process.stderr.write(`engine-proxy: ${messageOf(error)}\n`);
  process.exit(1);
}
