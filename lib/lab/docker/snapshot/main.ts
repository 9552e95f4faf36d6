/**
 * Runs in the telemetry server's container. `prometheus`: requests a snapshot from Prometheus and
 * prints its name. `telemetry`: writes a snapshot of the telemetry store while it is in use.
 */
import { Database } from "bun:sqlite";
import { rmSync } from "node:fs";
import { messageOf } from "../../../base/errors.ts";
import { TELEMETRY_SNAPSHOT, TELEMETRY_STORE } from "../layout.ts";

const TIMEOUT_MS = 20_000;

async function snapshotPrometheus(): Promise<void> {
  const reply = await fetch("http://prometheus:9090/api/v1/admin/tsdb/snapshot", {
    method: "POST",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await reply.text();
  if (!reply.ok) throw new Error(`Prometheus wrote no snapshot: ${reply.status}: ${text}`);
  process.stdout.write((JSON.parse(text) as { data: { name: string } }).data.name);
}

function snapshotTelemetry(): void {
  rmSync(TELEMETRY_SNAPSHOT, { force: true });
  using store = new Database(TELEMETRY_STORE, { readonly: true });
  store.run("VACUUM INTO ?", [TELEMETRY_SNAPSHOT]);
}

const WHAT: Readonly<Record<string, () => void | Promise<void>>> = {
  prometheus: snapshotPrometheus,
  telemetry: snapshotTelemetry,
};

try {
  const name = process.argv[2] ?? "";
  const write = WHAT[name];
  if (write === undefined) {
    throw new Error(`Cannot write a snapshot: ${name} must be prometheus or telemetry`);
  }
  await write();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(1);
}
