import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import { ManualClock } from "../../../lib/base/clock.ts";
import { waitUntil } from "../../../lib/base/wait.ts";
import { loadTrace } from "../tempo/traces.ts";
import { DEFAULT_LIMITS, Retention } from "./retention.ts";
import type { LogRow, SpanRow } from "./rows.ts";
import { Store } from "./store.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 0, 2);
let folder: string;
let clock: ManualClock;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "telemetry-store-"));
  clock = new ManualClock(START_MS);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const open = (maxBytes = DEFAULT_LIMITS.maxBytes): Store =>
  new Store({ folder, clock, limits: { ...DEFAULT_LIMITS, maxBytes } });
const span = (index: number, padding = 0): SpanRow => ({
  origin: { service: "s", resource: '{"attributes":[]}', scope: '{"name":"","version":""}' },
  traceId: index.toString(16).padStart(32, "0"),
  spanId: index.toString(16).padStart(16, "0"),
  parentId: "",
  name: "n",
  kind: 1,
  status: 0,
  startNs: BigInt(clock.nowMs()) * 1_000_000n,
  durationNs: 1n,
  attributes: `[{"key":"k","value":{"stringValue":"${"x".repeat(padding)}"}}]`,
  rest: "",
});
const log = (line: string): LogRow => ({
  labels: '{"service_name":"s"}',
  timeNs: BigInt(clock.nowMs()) * 1_000_000n,
  line,
  metadata: "{}",
});
const count = (table: "spans" | "logs"): number => {
  using database = new Database(join(folder, "telemetry.sqlite"), { readonly: true });
  return (database.query(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n;
};

describe("committing", () => {
  test("what is queued is committed without anybody asking", async () => {
    using store = open();
    store.addSpans([span(1)]);
    store.addLogs([log("a")]);
    expect(store.stats.commits).toBe(0);
    await waitUntil(
      () => ({ ok: count("spans") === 1 && count("logs") === 1, seen: `${count("spans")} spans` }),
      {
        what: "the commit",
        deadlineMs: 60_000,
        intervalMs: 20,
      },
    );
  });

  test("a long queue is committed at once, so that memory stays bounded", () => {
    using store = open();
    store.addSpans(Array.from({ length: 4000 }, (_, index) => span(index + 1)));
    expect(store.stats.spans).toBe(4000);
  });

  test("close() commits, is idempotent, and everything is there after opening again", () => {
    const first = open();
    first.addSpans([span(7)]);
    first.addLogs([log("kept")]);
    first.close();
    first.close();
    using second = open();
    expect(loadTrace(second, span(7).traceId)).toHaveLength(1);
    expect([...second.streams.entries()]).toEqual([[1, '{"service_name":"s"}']]);
    second.addSpans([span(8)]);
    second.flush();
    expect([...second.origins.entries()]).toHaveLength(1);
  });

  test("a span that was sent twice is shown once", () => {
    using store = open();
    store.addSpans([span(9), span(9)]);
    store.flush();
    expect(loadTrace(store, span(9).traceId)).toHaveLength(1);
  });

  test("a trace is found in whatever arrival bucket its spans are", () => {
    using store = open();
    for (const hours of [0, 1, 1]) {
      clock.advance(hours * HOUR_MS);
      store.addSpans([{ ...span(5), spanId: String(clock.nowMs()).padStart(16, "0") }]);
      store.flush();
    }
    expect(loadTrace(store, span(5).traceId)).toHaveLength(3);
  });
});

test("a clock that jumps by a year leaves two arrival buckets, not a year of them", () => {
  using store = open();
  for (const hours of [0, 365 * 24]) {
    clock.advance(hours * HOUR_MS);
    store.addSpans([{ ...span(7), spanId: String(clock.nowMs()).padStart(16, "0") }]);
    store.flush();
  }
  expect(store.buckets()).toHaveLength(2);
  const startedMs = performance.now();
  expect(loadTrace(store, span(7).traceId)).toHaveLength(2);
  expect(performance.now() - startedMs).toBeLessThan(50);
});

describe("retention", () => {
  /** Runs the steps of the store's timer, on a clock that the test controls. */
  const forgetAll = (
    maxBytes = DEFAULT_LIMITS.maxBytes,
    minFreeBytes = DEFAULT_LIMITS.minFreeBytes,
  ): number => {
    using database = new Database(join(folder, "telemetry.sqlite"));
    const limits = { ...DEFAULT_LIMITS, maxBytes, minFreeBytes };
    const retention = new Retention(database, { folder, clock, limits, bucketMs: 600_000 });
    let steps = 0;
    while (retention.step() > 0) steps += 1;
    return steps;
  };
  const fill = (spans: number): void => {
    const store = open();
    store.addSpans(Array.from({ length: spans }, (_, index) => span(index + 1, 500)));
    store.addLogs([log("a"), log("b")]);
    store.close();
  };

  test("spans go after 24 h and logs after 168 h, in small deletes", () => {
    fill(9000);
    clock.advance(23 * HOUR_MS);
    expect(forgetAll()).toBe(0);
    clock.advance(2 * HOUR_MS);
    expect(forgetAll()).toBe(3);
    expect([count("spans"), count("logs")]).toEqual([0, 2]);
    clock.advance(144 * HOUR_MS);
    forgetAll();
    expect(count("logs")).toBe(0);
  });

  test("over the size, the oldest arrivals go, whatever their age, and the file shrinks", () => {
    fill(20_000);
    const before = statSync(join(folder, "telemetry.sqlite")).size;
    forgetAll(before / 2);
    expect(count("spans")).toBeLessThan(11_000);
    expect(count("spans")).toBeGreaterThan(3000);
    {
      using database = new Database(join(folder, "telemetry.sqlite"));
      database.run("PRAGMA wal_checkpoint(TRUNCATE)");
      const oldest = database.query("SELECT min(id) AS id FROM spans").get() as { id: number };
      expect(oldest.id).toBeGreaterThan(9000);
    }
    expect(statSync(join(folder, "telemetry.sqlite")).size).toBeLessThan(before);
  });

  test("while the disk has less free space than must be left, the oldest arrivals go", () => {
    fill(9000);
    expect(forgetAll(DEFAULT_LIMITS.maxBytes, 1)).toBe(0);
    expect(forgetAll(DEFAULT_LIMITS.maxBytes, Number.MAX_SAFE_INTEGER)).toBeGreaterThan(2);
    expect([count("spans"), count("logs")]).toEqual([0, 0]);
  });

  test("the write-ahead log counts as used", () => {
    using store = open();
    const limits = { ...DEFAULT_LIMITS };
    const retention = new Retention(store.markerDatabase, {
      folder,
      clock,
      limits,
      bucketMs: 600_000,
    });
    store.addSpans(Array.from({ length: 3000 }, (_, index) => span(index + 1, 500)));
    store.flush();
    const wal = statSync(join(folder, "telemetry.sqlite-wal")).size;
    expect(wal).toBeGreaterThan(1_000_000);
    expect(retention.usedBytes()).toBeGreaterThan(2 * wal - 500_000);
  });
});

describe("a disk that refuses", () => {
  test("is said once, keeps the queue, refuses senders when that is long, and all is well afterwards", () => {
    using store = open();
    store.addSpans([span(1)]);
    store.flush();
    const limit = (pages: number): void =>
      void store.markerDatabase.run(`PRAGMA max_page_count = ${pages}`);
    const { page_count: pages } = store.markerDatabase.query("PRAGMA page_count").get() as {
      page_count: number;
    };
    limit(pages);
    const fresh = (index: number): SpanRow => ({
      ...span(index, 300),
      origin: { ...span(index).origin, service: `new-${index % 3}` },
    });
    store.addSpans(Array.from({ length: 3999 }, (_, index) => fresh(index + 2)));
    expect(() => store.flush()).toThrow("full");
    expect(store.stats.spans).toBe(1);
    const big = Array.from({ length: 100_000 }, (_, index) => fresh(index + 10_000));
    store.addSpans(big);
    expect(() => store.addSpans([span(2)])).toThrow(
      "wait for a disk that refuses them: database or disk is full",
    );
    expect(() => store.addLogs([log("x")])).toThrow("wait for a disk");
    limit(1_000_000);
    store.flush();
    expect(store.stats.spans).toBe(104_000);
    expect([...store.origins.entries()].map(([, { service }]) => service)).toEqual([
      "s",
      "new-2",
      "new-0",
      "new-1",
    ]);
    expect(loadTrace(store, span(3).traceId)[0]?.origin.service).toBe("new-0");
    store.addSpans([span(2)]);
  });
});

describe("opening", () => {
  test("senders of whom nothing is stored any more are forgotten", () => {
    {
      using store = open();
      store.addSpans([span(1), { ...span(2), origin: { ...span(2).origin, service: "gone" } }]);
      store.flush();
      store.markerDatabase.run("DELETE FROM spans WHERE id = 2");
    }
    using store = open();
    expect([...store.origins.entries()].map(([, { service }]) => service)).toEqual(["s"]);
  });

  test("a file that is no database, or of another format, is refused with what to do", () => {
    writeFileSync(
      join(folder, "telemetry.sqlite"),
      "this is not a database, not at all".repeat(100),
    );
    expect(open).toThrow("Cannot open the telemetry store");
    rmSync(join(folder, "telemetry.sqlite"));
    {
      using database = new Database(join(folder, "telemetry.sqlite"), { create: true });
      database.run("PRAGMA user_version = 99");
    }
    expect(open).toThrow("its format must be 1, but is 99; delete the file");
  });
});

describe("killed", () => {
  test("with kill -9, it comes back with all that it had acknowledged a second before", async () => {
    const argv = ["console", "loki", "tempo", "otlp-grpc", "otlp-http"].map(
      (name) => `--${name}-port=0`,
    );
    const main = join(import.meta.dir, "../main.ts");
    const child = Bun.spawn([process.execPath, main, `--data-dir=${folder}/killed`, ...argv], {
      stdout: "pipe",
      stderr: "inherit",
      timeout: 100_000,
    });
    const { value } = await child.stdout.getReader().read();
    const ready = JSON.parse(new TextDecoder().decode(value)) as { otlpHttp: number };
    let acknowledged: { at: number; spans: number }[] = [];
    let sent = 0;
    // Until enough was acknowledged longer ago than the second that a commit may take.
    while (!acknowledged.some(({ at, spans }) => spans > 1000 && performance.now() - at > 2000)) {
      const spans = Array.from({ length: 100 }, () => {
        sent += 1;
        return {
          traceId: sent.toString(16).padStart(32, "0"),
          spanId: sent.toString(16).padStart(16, "0"),
        };
      });
      const reply = await fetch(`http://127.0.0.1:${ready.otlpHttp}/v1/traces`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }),
      });
      expect(reply.status).toBe(200);
      acknowledged.push({ at: performance.now(), spans: sent });
    }
    child.kill("SIGKILL");
    const killed = performance.now();
    await child.exited;
    acknowledged = acknowledged.filter(({ at }) => at < killed - 1000);
    const promised = acknowledged.at(-1)?.spans ?? 0;
    expect(promised).toBeGreaterThan(1000);
    expect(existsSync(join(folder, "killed", "telemetry.sqlite-wal"))).toBe(true);
    using store = new Store({ folder: join(folder, "killed"), clock, limits: DEFAULT_LIMITS });
    const found = store.reader
      .query("SELECT count(*) AS n, max(span_id) AS last FROM spans")
      .get() as {
      n: bigint;
      last: string;
    };
    expect(Number(found.n)).toBeGreaterThanOrEqual(promised);
    expect(Number(found.n)).toBe(Number.parseInt(found.last, 16));
    expect(store.reader.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  });
});
