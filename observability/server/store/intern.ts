/**
 * A table of values that are stored once and referred to by id, also held in memory.
 *
 * Ids are assigned in memory. The commit of the rows that refer to a value writes the value, too,
 * so a failed commit leaves nothing incomplete.
 */
import type { Database, Statement } from "bun:sqlite";
import { EnvironmentError } from "../../../lib/base/errors.ts";

/**
 * Maximum number of distinct values: they are held in memory, and only a sender with a unique value
 * in its resource makes so many.
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

  /** The id of `value`, assigned if it is new. Throws EnvironmentError when there are too many. */
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

  /** Inserts new values, in the transaction of the rows that refer to them. */
  write(): void {
    for (const id of this.#unwritten) {
      const value = this.#values.get(id);
      if (value !== undefined) this.#insert.run(id, ...this.#columns(value));
    }
  }

  /** Called after the commit of that transaction. */
  written(): void {
    this.#unwritten = [];
  }

  /** The value with this id. */
  get(id: number): T | undefined {
    return this.#values.get(id);
  }

  /** All ids with their values. */
  entries(): IterableIterator<[number, T]> {
    return this.#values.entries();
  }
}
