/**
 * The store of spans and logs: takes rows at once, commits them in batches, deletes them by age and
 * size.
 *
 * An item is acknowledged when it is queued here; the queue is committed every 250 ms, or sooner
 * when it is long, so what was acknowledged a second ago survives `kill -9`. Readers see the queue
 * too: every query flushes it first.
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
 * A queue this long is committed at once, so that memory and one commit's duration stay bounded.
 */
const COMMIT_AT_ROWS = 4000;
/** Beyond this, senders are told to come back later: the disk has refused for a long time. */
const MAX_QUEUED_ROWS = 100_000;
/** Width of the arrival buckets that lead the index by trace id, milliseconds. */
const BUCKET_MS = 600_000;

export interface StoreOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly limits: Limits;
  /** Whether it is only read. */
  readonly frozen?: boolean;
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
   * Takes spans, to be committed within 250 ms; throws EnvironmentError, and takes none, when it
   * cannot.
   */
  addSpans(rows: readonly SpanRow[]): void {
    this.#refuseWhenFull();
    for (const { origin } of rows) this.origins.idOf(origin);
    for (const row of rows) this.#spans.push(row);
    if (this.#queued >= COMMIT_AT_ROWS) this.#tick();
  }

  /** Takes log records; see addSpans. */
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
   * Commits, and deletes a few old rows. Reports a failing disk once, and tries again at the next
   * tick.
   */
  #tick(): void {
    const wasFailing = this.#failure !== "";
    const failures: string[] = [];
    // Old rows are deleted even when new ones do not fit: that is what makes room.
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
   * Commits what is queued, so that a query sees it. While the disk refuses, a query sees what was
   * committed before.
   */
  flushForQuery(): void {
    if (this.#failure === "" && this.#queued > 0) this.#tick();
  }

  /** Commits what is queued. Throws when the disk refuses, and keeps the queue then. */
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
    // Steps from one to the next in the index: a clock that jumped leaves a year of empty ones between.
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

  /** The owner's markers live in the same file; the connection is theirs to write with. */
  get markerDatabase(): Database {
    return this.#writer;
  }

  /** Commits what is queued and closes the file; idempotent. */
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
