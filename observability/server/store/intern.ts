/**
 * A table of values that are stored once and referred to by number, held in memory as well.
 *
 * Numbers are given in memory; the rows are written by the commit that also writes what refers to
 * them, so that a commit that fails leaves nothing half done.
 */
import type { Database, Statement } from "bun:sqlite";
import { EnvironmentError } from "../../../lib/base/errors.ts";

/**
 * More distinct values than this are refused: they live in memory, and only a sender that puts
 * something unique into its resource makes so many.
 */
const MAX_VALUES = 100_000;

export interface InternOptions<T> {
  /** Selects the id and the columns of every row. */
  readonly select: string;
  /** Inserts a row, with its id first. */
  readonly insert: string;
  readonly columns: (value: T) => string[];
  readonly fromColumns: (texts: string[]) => T;
}

export class InternTable<T> {
  readonly #ids = new Map<string, number>();
  readonly #values = new Map<number, T>();
  readonly #insert: Statement;
  readonly #columns: (value: T) => string[];
  #unwritten: number[] = [];
  #lastId = 0;

  constructor(database: Database, { select, insert, columns, fromColumns }: InternOptions<T>) {
    this.#columns = columns;
    this.#insert = database.query(insert);
    for (const [id, ...texts] of database.query(select).values() as [number, ...string[]][]) {
      const value = fromColumns(texts);
      this.#ids.set(this.#key(value), id);
      this.#values.set(id, value);
      this.#lastId = Math.max(this.#lastId, id);
    }
  }

  #key(value: T): string {
    return typeof value === "string" ? value : this.#columns(value).join("\0");
  }

  /**
   * The number of `value`, a new one when it is new. Throws EnvironmentError when there are too
   * many.
   */
  idOf(value: T): number {
    const key = this.#key(value);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    if (this.#ids.size >= MAX_VALUES) {
      throw new EnvironmentError(
        `Cannot store telemetry of a new sender: at most ${MAX_VALUES} distinct senders are kept`,
      );
    }
    this.#lastId += 1;
    this.#ids.set(key, this.#lastId);
    this.#values.set(this.#lastId, value);
    this.#unwritten.push(this.#lastId);
    return this.#lastId;
  }

  /** Inserts what is new; called inside the transaction that writes what refers to it. */
  write(): void {
    for (const id of this.#unwritten) {
      const value = this.#values.get(id);
      if (value !== undefined) this.#insert.run(id, ...this.#columns(value));
    }
  }

  /** Called when that transaction has been committed. */
  written(): void {
    this.#unwritten = [];
  }

  /** The value with this number. */
  get(id: number): T | undefined {
    return this.#values.get(id);
  }

  /** Every number with its value. */
  entries(): IterableIterator<[number, T]> {
    return this.#values.entries();
  }
}
