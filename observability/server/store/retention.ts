/**
 * Forgetting: by age, and by the size of the file. Rows go in small deletes, oldest arrival first, so that
 * no pass blocks the process for longer than a few milliseconds.
 */
import type { Database, Statement } from "bun:sqlite";
import type { Clock } from "../../../lib/base/clock.ts";

export interface Limits {
  /** Age at which spans are forgotten, milliseconds. */
  readonly spanAgeMs: number;
  /** Age at which logs are forgotten, milliseconds. */
  readonly logAgeMs: number;
  /** Size of the data at which the oldest go, whatever their age; bytes. */
  readonly maxBytes: number;
}

/** 24 h for traces and 168 h for logs, as the container stack keeps them, and at most 4 GiB. */
export const DEFAULT_LIMITS: Limits = {
  spanAgeMs: 24 * 3_600_000,
  logAgeMs: 168 * 3_600_000,
  maxBytes: 4 * 1024 ** 3,
};

const ROWS_PER_DELETE = 4000;
/** Pages given back to the file system after a delete. */
const PAGES_PER_VACUUM = 256;

interface Pages {
  readonly used: number;
}

export class Retention {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #bucketMs: number;
  readonly #deletes: Record<"spans" | "logs", Statement>;
  readonly #oldest: Record<"spans" | "logs", Statement>;
  readonly #pages: Statement;

  constructor(database: Database, clock: Clock, limits: Limits, bucketMs: number) {
    this.#database = database;
    this.#clock = clock;
    this.#limits = limits;
    this.#bucketMs = bucketMs;
    const forget = (table: string): Statement =>
      database.query(
        `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE bucket <= ? ORDER BY id LIMIT ?)`,
      );
    const oldest = (table: string): Statement =>
      database.query(`SELECT bucket FROM ${table} ORDER BY id LIMIT 1`);
    this.#deletes = { spans: forget("spans"), logs: forget("logs") };
    this.#oldest = { spans: oldest("spans"), logs: oldest("logs") };
    this.#pages = database.query(
      `SELECT (page_count - freelist_count) * page_size AS used
         FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
    );
  }

  /** Bytes in use. */
  usedBytes(): number {
    return (this.#pages.get() as Pages).used;
  }

  /** One small step; returns how many rows it forgot. */
  step(): number {
    const nowMs = this.#clock.nowMs();
    let forgotten = this.#byAge("spans", nowMs - this.#limits.spanAgeMs);
    forgotten += this.#byAge("logs", nowMs - this.#limits.logAgeMs);
    if (this.usedBytes() > this.#limits.maxBytes) forgotten += this.#bySize();
    if (forgotten > 0) this.#database.run(`PRAGMA incremental_vacuum(${PAGES_PER_VACUUM})`);
    return forgotten;
  }

  #byAge(table: "spans" | "logs", beforeMs: number): number {
    const bucket = Math.floor(beforeMs / this.#bucketMs) - 1;
    const oldest = this.#oldestBucket(table);
    if (oldest === undefined || oldest > bucket) return 0;
    return this.#deletes[table].run(bucket, ROWS_PER_DELETE).changes;
  }

  /** Of both tables, the one with the older arrivals goes first. */
  #bySize(): number {
    const ages = { spans: this.#oldestBucket("spans"), logs: this.#oldestBucket("logs") };
    const table =
      ages.logs === undefined || (ages.spans !== undefined && ages.spans <= ages.logs)
        ? "spans"
        : "logs";
    return this.#deletes[table].run(Number.MAX_SAFE_INTEGER, ROWS_PER_DELETE).changes;
  }

  #oldestBucket(table: "spans" | "logs"): number | undefined {
    return (this.#oldest[table].get() as { bucket: number } | null)?.bucket;
  }
}
