import { Database } from "bun:sqlite";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { systemClock } from "../../lib/base/clock.ts";
import { parseFlags } from "./flags.ts";
import { startServer } from "./server.ts";
import { NOW_MS, OWNER_TOKEN, TestServer } from "./testing/server.ts";

const PORTS = ["console", "loki", "tempo", "otlp-grpc", "otlp-http"].map(
  (name) => `--${name}-port=0`,
);

/** A copy of a live server's store: two lines, a span and a marker, without indexes. */
async function storedCopy(): Promise<string> {
  await using live = await TestServer.start();
  await live.pushLogs([
    { at: -10, body: "early" },
    { at: -1, body: "late" },
  ]);
  await live.pushSpans([{ trace: "a1", id: "b1", name: "sensor.scan.RADAR-1", at: -5 }]);
  await live.get("loki", "/loki/api/v1/labels");
  const folder = mkdtempSync(join(tmpdir(), "frozen-store-"));
  const source = new Database(join(live.folder, "telemetry.sqlite"));
  source.run("PRAGMA wal_checkpoint(TRUNCATE)");
  source.close();
  cpSync(join(live.folder, "telemetry.sqlite"), join(folder, "telemetry.sqlite"));
  const copy = new Database(join(folder, "telemetry.sqlite"));
  for (const index of ["spans_by_trace", "spans_by_origin", "logs_by_stream"]) {
    copy.run(`DROP INDEX ${index}`);
  }
  copy.close();
  return folder;
}

test("a frozen store is served as of its time, by Loki's and Tempo's APIs, and takes nothing in", async () => {
  const folder = await storedCopy();
  const flags = parseFlags([`--data-dir=${folder}`, `--frozen-at=${NOW_MS}`, ...PORTS]);
  const server = await startServer(flags, { clock: systemClock, ownerToken: OWNER_TOKEN });
  try {
    const { loki, tempo, console: front, otlpGrpc, otlpHttp } = server.ports;
    const lines = (await (
      await fetch(`http://127.0.0.1:${loki}/loki/api/v1/query_range?query={service_name=~".%2B"}`)
    ).json()) as { data: { result: { values: [string, string][] }[] } };
    expect(lines.data.result.flatMap(({ values }) => values.map(([, line]) => line))).toEqual([
      "late",
      "early",
    ]);
    const found = (await (
      await fetch(`http://127.0.0.1:${tempo}/api/search?q={}&start=${NOW_MS / 1000 - 60}`)
    ).json()) as { traces: unknown[] };
    expect(found.traces).toHaveLength(1);
    expect([otlpGrpc, otlpHttp]).toEqual([0, 0]);
    const markers = await fetch(`http://127.0.0.1:${front}/owner/markers`, {
      headers: { authorization: `Bearer ${OWNER_TOKEN}` },
    });
    expect(markers.status).toBe(404);
    expect(() => server.store.addLogs([])).toThrow("the store is only read");
    const plan = server.store.reader
      .query("EXPLAIN QUERY PLAN SELECT 1 FROM logs WHERE stream = 1 AND time_ns > 1")
      .values();
    expect(String(plan)).toContain("logs_by_stream");
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
});
