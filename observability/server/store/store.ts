/**
 * The store of spans and logs: accepts rows at once, commits them in batches, and deletes them by
 * age and size.
 *
 * An item is acknowledged when it is queued; the queue is committed every 250 ms, or earlier when
 * it is long. So data that was acknowledged a second ago survives `kill -9`. Every query commits
 * the queue first, so readers see it.
 */
import type { Database, Statement } from "bun:sqlite";
import type { Clock } from "../../../lib/base/clock.ts";
import { EnvironmentError } from "../../../lib/base/errors.ts";
import { InternTable } from "./intern.ts";
import { type Limits, Retention } from "./retention.ts";
import type { LogRow, Origin, SpanRow } from "./rows.ts";
import { openDatabase, openFrozenDatabase } from "./schema.ts";

const COMMIT_EVERY_MS = 250;
/**
 * A queue of this length is committed at once, which bounds memory and the duration of a commit.
 */
const COMMIT_AT_ROWS = 4000;
/**
 * Maximum queue length; beyond it senders must retry, because commits have failed for a long time.
 */
const MAX_QUEUED_ROWS = 100_000;
/** Width of the arrival buckets at the start of the index by trace id, milliseconds. */
const BUCKET_MS = 600_000;

export interface StoreOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly limits: Limits;
  /** Whether it is only read. */
  readonly frozen?: boolean;
}

/** Counters since the start, for the server's own metrics. */
export interface StoreStats {
  spans: number;
  logs: number;
  commits: number;
  longestCommitMs: number;
}

export class Store {
  /** The connection for queries; it returns integers as bigint. */
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
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  readonly #frozen: boolean;
  #spans: SpanRow[] = [];
  #logs: LogRow[] = [];
  #failure = "";
  #closed = false;

  constructor({ folder, clock, limits, frozen = false }: StoreOptions) {
    const { writer, reader } = frozen ? openFrozenDatabase(folder) : openDatabase(folder);
    this.#frozen = frozen;
    this.#writer = writer;
    this.reader = reader;
    this.#clock = clock;
    this.#retention = new Retention(writer, { folder, clock, limits, bucketMs: BUCKET_MS });
    this.origins = new InternTable<Origin>(writer, {
      select: "SELECT id, service, resource, scope FROM origins",
      insert: "INSERT INTO origins (id, service, resource, scope) VALUES (?, ?, ?, ?)",
      columns: ({ service, resource, scope }) => [service, resource, scope],
      fromColumns: ([service = "", resource = "", scope = ""]) => ({ service, resource, scope }),
    });
    this.streams = new InternTable<string>(writer, {
      select: "SELECT id, labels FROM streams",
      insert: "INSERT INTO streams (id, labels) VALUES (?, ?)",
      columns: (labels) => [labels],
      fromColumns: ([labels = ""]) => labels,
    });
    this.#insertSpan = writer.query(
      `INSERT INTO spans (bucket, trace_id, span_id, parent_id, origin, name, kind, status, start_ns,
         duration_ns, attributes, rest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#insertLog = writer.query(
      "INSERT INTO logs (bucket, stream, time_ns, line, metadata) VALUES (?, ?, ?, ?, ?)",
    );
    this.#timer = frozen ? undefined : setInterval(() => this.#tick(), COMMIT_EVERY_MS);
  }

  /**
   * Queues spans for a commit within 250 ms; throws EnvironmentError, and queues none, when it
   * cannot.
   */
  addSpans(rows: readonly SpanRow[]): void {
    this.#refuseWhenFull();
    for (const { origin } of rows) this.origins.idOf(origin);
    for (const row of rows) this.#spans.push(row);
    if (this.#queued >= COMMIT_AT_ROWS) this.#tick();
  }

  /** Queues log records; see addSpans. */
  addLogs(rows: readonly LogRow[]): void {
    this.#refuseWhenFull();
    for (const { labels } of rows) this.streams.idOf(labels);
    for (const row of rows) this.#logs.push(row);
    if (this.#queued >= COMMIT_AT_ROWS) this.#tick();
  }

  get #queued(): number {
    return this.#spans.length + this.#logs.length;
  }

  #refuseWhenFull(): void {
    if (this.#frozen) throw new EnvironmentError("Cannot store telemetry: the store is only read");
    if (this.#queued < MAX_QUEUED_ROWS) return;
    throw new EnvironmentError(
      `Cannot store telemetry: ${this.#queued} rows wait for a disk that refuses them: ${this.#failure}`,
    );
  }

  /**
   * Commits, and deletes some old rows. Reports a failing disk once, and tries again at the next
   * tick.
   */
  #tick(): void {
    const wasFailing = this.#failure !== "";
    const failures: string[] = [];
    // Old rows are deleted although new ones cannot be written: that frees space.
    for (const work of [() => this.flush(), () => void this.#retention.step()]) {
      try {
        work();
      } catch (error) {
        failures.push((error as Error).message);
      }
    }
    this.#failure = failures[0] ?? "";
    if (this.#failure !== "" && !wasFailing) {
      process.stderr.write(`Cannot commit telemetry: ${this.#failure}\n`);
    }
  }

  /**
   * Commits the queue, so that a query sees it. While commits fail, queries see the rows of earlier
   * ones.
   */
  flushForQuery(): void {
    if (this.#failure === "" && this.#queued > 0) this.#tick();
  }

  /** Commits the queue. When the disk refuses, throws and keeps the queue. */
  flush(): void {
    if (this.#queued === 0) return;
    const started = performance.now();
    const bucket = Math.floor(this.#clock.nowMs() / BUCKET_MS);
    this.#writer.transaction(() => this.#write(bucket))();
    this.origins.written();
    this.streams.written();
    this.stats.spans += this.#spans.length;
    this.stats.logs += this.#logs.length;
    this.stats.commits += 1;
    this.#spans = [];
    this.#logs = [];
    const tookMs = performance.now() - started;
    this.stats.longestCommitMs = Math.max(this.stats.longestCommitMs, tookMs);
  }

  #write(bucket: number): void {
    this.origins.write();
    this.streams.write();
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
    // Steps from one to the next in the index: a clock that jumped leaves a year of empty ones
    // between.
    const rows = this.reader
      .query(
        `WITH RECURSIVE present (bucket) AS (
           SELECT min(bucket) FROM spans
           UNION ALL
           SELECT (SELECT min(bucket) FROM spans WHERE bucket > present.bucket)
             FROM present WHERE present.bucket IS NOT NULL
         ) SELECT bucket FROM present WHERE bucket IS NOT NULL`,
      )
      .all() as { bucket: bigint }[];
    return rows.map(({ bucket }) => Number(bucket));
  }

  /** The connection with which the owner's markers are written to the same file. */
  get markerDatabase(): Database {
    return this.#writer;
  }

  /** Commits the queue and closes the file; calling it again has no effect. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    try {
      this.flush();
    } finally {
      this.reader.close();
      this.#writer.close();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
