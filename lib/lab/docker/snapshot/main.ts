/**
 * Runs in the telemetry server's container: has Prometheus write a snapshot, and writes one of the telemetry store, which
 * goes on being written to meanwhile. Prints the name of Prometheus' snapshot.
 */
import { Database } from "bun:sqlite";
import { rmSync } from "node:fs";
import { messageOf } from "../../../base/errors.ts";
import { TELEMETRY_SNAPSHOT, TELEMETRY_STORE } from "../layout.ts";

const TIMEOUT_MS = 20_000;

async function snapshotPrometheus(): Promise<string> {
  const reply = await fetch("http://prometheus:9090/api/v1/admin/tsdb/snapshot", {
    method: "POST",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await reply.text();
  if (!reply.ok) throw new Error(`Prometheus wrote no snapshot: ${reply.status}: ${text}`);
  return (JSON.parse(text) as { data: { name: string } }).data.name;
}

try {
  rmSync(TELEMETRY_SNAPSHOT, { force: true });
  using store = new Database(TELEMETRY_STORE, { readonly: true });
  store.run("VACUUM INTO ?", [TELEMETRY_SNAPSHOT]);
  process.stdout.write(await snapshotPrometheus());
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(1);
}
