/** A table of values that are stored once and referred to by number, held in memory as well. */
import type { Database, Statement } from "bun:sqlite";
import { EnvironmentError } from "../../../lib/base/errors.ts";

/**
 * More distinct values than this are refused: they live in memory, and only a sender that puts something
 * unique into its resource makes so many.
 */
const MAX_VALUES = 100_000;

export class InternTable<T> {
  readonly #ids = new Map<string, number>();
  readonly #values = new Map<number, T>();
  readonly #insert: Statement;
  readonly #columns: (value: T) => string[];

  constructor(
    database: Database,
    selectSql: string,
    insertSql: string,
    columns: (value: T) => string[],
    fromColumns: (texts: string[]) => T,
  ) {
    this.#columns = columns;
    this.#insert = database.query(insertSql);
    for (const [id, ...texts] of database.query(selectSql).values() as [number, ...string[]][]) {
      const value = fromColumns(texts);
      this.#ids.set(this.#key(value), id);
      this.#values.set(id, value);
    }
  }

  #key(value: T): string {
    return typeof value === "string" ? value : this.#columns(value).join("\0");
  }

  /** The number of `value`, which is stored when it is new. */
  idOf(value: T): number {
    const key = this.#key(value);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    if (this.#ids.size >= MAX_VALUES) {
      throw new EnvironmentError(
        `Cannot store telemetry of a new sender: at most ${MAX_VALUES} distinct senders are kept`,
      );
    }
    const id = Number(this.#insert.run(...this.#columns(value)).lastInsertRowid);
    this.#ids.set(key, id);
    this.#values.set(id, value);
    return id;
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
