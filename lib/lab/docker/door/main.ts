/**
 * Serves the read-only endpoints of Prometheus' API at :9090; Prometheus itself is at
 * PROMETHEUS_URL.
 */
import { httpUrl, processEnv, readEnv } from "../../../base/env.ts";
import { messageOf } from "../../../base/errors.ts";
import { servePrometheusDoor } from "../../native/prometheus-door.ts";

try {
  const origin = readEnv(processEnv(), "PROMETHEUS_URL", "http://prometheus:9090", httpUrl);
  servePrometheusDoor({ hostname: "0.0.0.0", port: 9090, origin });
  process.on("SIGTERM", () => process.exit(0));
} catch (error) {
  process.stderr.write(`prometheus-door: ${messageOf(error)}\n`);
  process.exit(1);
}
