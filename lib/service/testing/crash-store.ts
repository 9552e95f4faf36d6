/**
 * Runs the defective service beside a real telemetry server and prints as JSON how it ended and
 * what the server stored: `bun crash-store.ts <how> <data folder>`. Needs its own network
 * namespace.
 */
import { loopbackConfig } from "../../../ffi/testing/domain.ts";
import { processEnv } from "../../base/env.ts";
import { run } from "../../base/shell.ts";
import { waitUntil } from "../../base/wait.ts";

const [how = "", folder = ""] = Bun.argv.slice(2);
const ROOT = new URL("../../..", import.meta.url).pathname;
const LOKI = "http://127.0.0.1:3100";
const DEADLINE_MS = 60_000;

const server = Bun.spawn(
  [process.execPath, `${ROOT}observability/server/main.ts`, `--data-dir=${folder}`],
  { stdout: "ignore", stderr: "inherit", timeout: 2 * DEADLINE_MS, killSignal: "SIGKILL" },
);
await waitUntil(async () => ({ ok: (await fetch(`${LOKI}/ready`)).ok, seen: "not ready" }), {
  what: "the telemetry server",
  deadlineMs: DEADLINE_MS,
});
const ended = await run([process.execPath, `${import.meta.dir}/defective.ts`, how], {
  env: {
    ...processEnv(),
    CYCLONEDDS_URI: loopbackConfig(`crash-${how}`),
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4317",
  },
  timeoutMs: DEADLINE_MS,
});
const query = new URLSearchParams({
  query: '{service_name="eo-sensor"} | json | event="service_crashed"',
});
const lines = await waitUntil(
  async () => {
    const answer = await fetch(`${LOKI}/loki/api/v1/query_range?${query.toString()}`);
    const { data } = (await answer.json()) as { data: { result: { values: string[][] }[] } };
    const value = data.result.flatMap(({ values }) => values.map(([, line = ""]) => line));
    return { ok: value.length > 0, seen: "no record", value };
  },
  { what: "the record of the crash", deadlineMs: DEADLINE_MS / 2 },
).catch(() => []);
process.stdout.write(JSON.stringify({ code: ended.code, stderr: ended.stderr, lines }));
server.kill();
await server.exited;
