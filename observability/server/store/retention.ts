/**
 * Retention by age and file size. Rows are deleted in small steps, oldest arrival first, so that no
 * step blocks the process for more than a few milliseconds.
 */
import { statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Database, Statement } from "bun:sqlite";
import type { Clock } from "../../../lib/base/clock.ts";

export interface Limits {
  /** Age at which spans are deleted, milliseconds. */
  readonly spanAgeMs: number;
  /** Age at which logs are deleted, milliseconds. */
  readonly logAgeMs: number;
  /** Size of the data above which the oldest rows are deleted at any age; bytes. */
  readonly maxBytes: number;
  /** Free space of the disk below which the oldest rows are deleted, too; bytes. */
  readonly minFreeBytes: number;
}

/**
 * 24 h for traces and 168 h for logs, as in the container stack, and at most 4 GiB. A delete writes
 * before it frees space, so it needs some free space.
 */
export const DEFAULT_LIMITS: Limits = {
  spanAgeMs: 24 * 3_600_000,
  logAgeMs: 168 * 3_600_000,
  maxBytes: 4 * 1024 ** 3,
  minFreeBytes: 256 * 1024 ** 2,
};

const ROWS_PER_DELETE = 4000;
/** Number of pages returned to the file system after a delete. */
const PAGES_PER_VACUUM = 256;

/** Size above which the write-ahead log is checkpointed when space is scarce. */
const MAX_WAL_BYTES = 64 * 1024 ** 2;

interface Pages {
  readonly used: number;
}

export interface RetentionOptions {
  /** The folder with the database's files. */
  readonly folder: string;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly bucketMs: number;
}

export class Retention {
  readonly #database: Database;
  readonly #options: RetentionOptions;
  readonly #deletes: Record<"spans" | "logs", Statement>;
  readonly #oldest: Record<"spans" | "logs", Statement>;
  readonly #pages: Statement;

  constructor(database: Database, options: RetentionOptions) {
    this.#database = database;
    this.#options = options;
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

  /** Bytes in use, those of the write-ahead log included. */
  usedBytes(): number {
    return (this.#pages.get() as Pages).used + this.#walBytes();
  }

  #walBytes(): number {
    const wal = join(this.#options.folder, "telemetry.sqlite-wal");
    return statSync(wal, { throwIfNoEntry: false })?.size ?? 0;
  }

  #isDiskShort(): boolean {
    const { bavail, bsize } = statfsSync(this.#options.folder);
    return bavail * bsize < this.#options.limits.minFreeBytes;
  }

  /** One small step; returns the number of deleted rows. */
  step(): number {
    const { clock, limits } = this.#options;
    const nowMs = clock.nowMs();
    let deleted = this.#byAge("spans", nowMs - limits.spanAgeMs);
    deleted += this.#byAge("logs", nowMs - limits.logAgeMs);
    const isShort = this.usedBytes() > limits.maxBytes || this.#isDiskShort();
    if (isShort) deleted += this.#bySize();
    if (deleted > 0) this.#database.run(`PRAGMA incremental_vacuum(${PAGES_PER_VACUUM})`);
    if (isShort && this.#walBytes() > MAX_WAL_BYTES) {
      this.#database.run("PRAGMA wal_checkpoint(TRUNCATE)");
    }
    return deleted;
  }

  #byAge(table: "spans" | "logs", beforeMs: number): number {
    const bucket = Math.floor(beforeMs / this.#options.bucketMs) - 1;
    const oldest = this.#oldestBucket(table);
    if (oldest === undefined || oldest > bucket) return 0;
    return this.#deletes[table].run(bucket, ROWS_PER_DELETE).changes;
  }

  /** Deletes from the table whose oldest row is older. */
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
