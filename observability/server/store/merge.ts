/** Merges many sorted results row by row, without keeping all rows in memory. */
import type { Database, SQLQueryBindings, Statement } from "bun:sqlite";
import { QueryError } from "../query-error.ts";

/** Maximum number of open results; each needs its own statement. */
const MAX_PARTS = 5000;

/** Bindings of one statement, and the object that its rows belong to. */
export interface Part<T> {
  readonly of: T;
  readonly bindings: readonly SQLQueryBindings[];
}

interface Cursor<R, T> {
  readonly of: T;
  readonly rows: Iterator<R>;
  readonly statement: Statement;
  row: R;
}

/**
 * Runs `sql` for each part, and yields the rows of all parts in the order of `isBefore`. Throws
 * QueryError for more than 5,000 parts of `what`.
 */
export function* readMerged<R, T>(
  reader: Database,
  sql: string,
  parts: Iterable<Part<T>>,
  what: string,
  isBefore: (a: R, b: R) => boolean,
): Generator<{ row: R; of: T }, void> {
  const cursors: Cursor<R, T>[] = [];
  try {
    for (const { of, bindings } of parts) {
      if (cursors.length >= MAX_PARTS) {
        throw new QueryError(`a query may read at most ${MAX_PARTS} ${what}; select fewer`);
      }
      const statement = reader.prepare(sql);
      const rows = statement.iterate(...bindings) as Iterator<R>;
      const first = rows.next();
      if (first.done === true) statement.finalize();
      else cursors.push({ of, rows, statement, row: first.value });
    }
    const open = [...cursors];
    for (;;) {
      let [best] = open;
      if (best === undefined) return;
      for (const cursor of open) if (isBefore(cursor.row, best.row)) best = cursor;
      yield { row: best.row, of: best.of };
      const next = best.rows.next();
      if (next.done === true) open.splice(open.indexOf(best), 1);
      else best.row = next.value;
    }
  } finally {
    for (const { statement } of cursors) statement.finalize();
  }
}
