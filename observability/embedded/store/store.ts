/**
 * The store of spans and logs: takes rows at once, commits them in batches, forgets by age and size.
 *
 * An item is acknowledged when it is queued here; the queue is committed every 250 ms, or sooner when it is
 * long, so what was acknowledged a second ago survives `kill -9`. Readers see the queue too: every query flushes it first.
 */
import type { Database, Statement } from "bun:sqlite";
import type { Clock } from "../../../lib/base/clock.ts";
import { InternTable } from "./intern.ts";
import { type Limits, Retention } from "./retention.ts";
import type { LogRow, Origin, SpanRow } from "./rows.ts";
import { openDatabase } from "./schema.ts";

const COMMIT_EVERY_MS = 250;
/** A queue this long is committed at once, so that memory and one commit's duration stay bounded. */
const COMMIT_AT_ROWS = 4000;
/** Width of the arrival buckets that lead the index by trace id, milliseconds. */
const BUCKET_MS = 600_000;

export interface StoreOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly limits: Limits;
}

/** Counts since the start, for the server's own metrics. */
export interface StoreStats {
  spans: number;
  logs: number;
  commits: number;
  longestCommitMs: number;
}

export class Store {
  /** The connection that queries read with; integers come as bigint. */
  readonly reader: Database;
  readonly stats: StoreStats = { spans: 0, logs: 0, commits: 0, longestCommitMs: 0 };
  /** Origins by id: resource, scope and service of spans. */
  readonly origins: InternTable<Origin>;
  /** Labels of log streams by id, as JSON text with sorted keys. */
  readonly streams: InternTable<string>;
  readonly #writer: Database;
  readonly #clock: Clock;
  readonly #retention: Retention;
  readonly #insertSpan: Statement;
  readonly #insertLog: Statement;
  readonly #timer: ReturnType<typeof setInterval>;
  #spans: SpanRow[] = [];
  #logs: LogRow[] = [];
  #closed = false;

  constructor({ folder, clock, limits }: StoreOptions) {
    const { writer, reader } = openDatabase(folder);
    this.#writer = writer;
    this.reader = reader;
    this.#clock = clock;
    this.#retention = new Retention(writer, clock, limits, BUCKET_MS);
    this.origins = new InternTable(
      writer,
      "SELECT id, service, resource, scope FROM origins",
      "INSERT INTO origins (service, resource, scope) VALUES (?, ?, ?)",
      (origin: Origin) => [origin.service, origin.resource, origin.scope],
      ([service = "", resource = "", scope = ""]) => ({ service, resource, scope }),
    );
    this.streams = new InternTable(
      writer,
      "SELECT id, labels FROM streams",
      "INSERT INTO streams (labels) VALUES (?)",
      (labels: string) => [labels],
      ([labels = ""]) => labels,
    );
    this.#insertSpan = writer.query(
      `INSERT INTO spans (bucket, trace_id, span_id, parent_id, origin, name, kind, status, start_ns,
         duration_ns, attributes, rest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#insertLog = writer.query(
      "INSERT INTO logs (bucket, stream, time_ns, line, metadata) VALUES (?, ?, ?, ?, ?)",
    );
    this.#timer = setInterval(() => {
      this.flush();
      this.#retention.step();
    }, COMMIT_EVERY_MS);
  }

  /** Takes spans; they are committed within 250 ms. */
  addSpans(rows: readonly SpanRow[]): void {
    for (const row of rows) this.#spans.push(row);
    this.#flushIfLong();
  }

  /** Takes log records; they are committed within 250 ms. */
  addLogs(rows: readonly LogRow[]): void {
    for (const row of rows) this.#logs.push(row);
    this.#flushIfLong();
  }

  #flushIfLong(): void {
    if (this.#spans.length + this.#logs.length >= COMMIT_AT_ROWS) this.flush();
  }

  /** Commits what is queued. Throws when the disk refuses, and keeps the queue then. */
  flush(): void {
    if (this.#spans.length === 0 && this.#logs.length === 0) return;
    const started = performance.now();
    const bucket = Math.floor(this.#clock.nowMs() / BUCKET_MS);
    this.#writer.transaction(() => this.#write(bucket))();
    this.stats.spans += this.#spans.length;
    this.stats.logs += this.#logs.length;
    this.stats.commits += 1;
    this.#spans = [];
    this.#logs = [];
    const tookMs = performance.now() - started;
    this.stats.longestCommitMs = Math.max(this.stats.longestCommitMs, tookMs);
  }

  #write(bucket: number): void {
    for (const row of this.#spans) {
      this.#insertSpan.run(
        bucket,
        row.traceId,
        row.spanId,
        row.parentId,
        this.origins.idOf(row.origin),
        row.name,
        row.kind,
        row.status,
        row.startNs,
        row.durationNs,
        row.attributes,
        row.rest,
      );
    }
    for (const row of this.#logs) {
      const stream = this.streams.idOf(row.labels);
      this.#insertLog.run(bucket, stream, row.timeNs, row.line, row.metadata);
    }
  }

  /** The arrival buckets that hold spans, oldest first. */
  buckets(): number[] {
    const row = this.reader
      .query(
        `SELECT (SELECT bucket FROM spans ORDER BY bucket LIMIT 1) AS first,
                (SELECT bucket FROM spans ORDER BY bucket DESC LIMIT 1) AS last`,
      )
      .get() as { first: bigint | null; last: bigint | null };
    if (row.first === null || row.last === null) return [];
    const first = Number(row.first);
    return Array.from({ length: Number(row.last) - first + 1 }, (_, index) => first + index);
  }

  /** The owner's markers live in the same file; the connection is theirs to write with. */
  get markerDatabase(): Database {
    return this.#writer;
  }

  /** Commits what is queued and closes the file; idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.flush();
    this.reader.close();
    this.#writer.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
