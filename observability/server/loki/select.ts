/** Reading log rows out of the store, in order of time across streams, without holding them all. */
import { clampInt64 } from "../store/int64.ts";
import { readMerged } from "../store/merge.ts";
import type { Store } from "../store/store.ts";
import type { LogQuery, Matcher } from "./ast.ts";
import { satisfies } from "./parse-parts.ts";
import type { Labels } from "./pipeline.ts";

export interface StoredLine {
  readonly timeNs: bigint;
  readonly line: string;
  /** JSON text of an object. */
  readonly metadata: string;
  readonly stream: Labels;
}

export interface Window {
  readonly startNs: bigint;
  readonly endNs: bigint;
}

/** The streams that match all matchers, as id and labels. */
export function matchingStreams(
  store: Store,
  matchers: readonly Matcher[],
): { id: number; labels: Labels }[] {
  const found: { id: number; labels: Labels }[] = [];
  for (const [id, text] of store.streams.entries()) {
    const labels = JSON.parse(text) as Labels;
    if (
      matchers.every((one) =>
        satisfies(one, Object.hasOwn(labels, one.name) ? (labels[one.name] ?? "") : ""),
      )
    ) {
      found.push({ id, labels });
    }
  }
  return found;
}

/** Whether the stream has a line in the window. */
export function hasLines(store: Store, stream: number, { startNs, endNs }: Window): boolean {
  const row = store.reader
    .query("SELECT 1 FROM logs WHERE stream = ? AND time_ns >= ? AND time_ns < ? LIMIT 1")
    .get(stream, clampInt64(startNs), clampInt64(endNs));
  return row !== null;
}

interface Row {
  readonly time_ns: bigint;
  readonly line: string;
  readonly metadata: string;
}

export interface ReadOptions {
  readonly direction: "forward" | "backward";
  /** Returns empty lines when no stage reads them, which is faster. */
  readonly withoutLine?: boolean;
  readonly withoutMetadata?: boolean;
}

/** Lines of the query's streams in [start, end), oldest or newest first. */
export function* readLines(
  store: Store,
  query: LogQuery,
  window: Window,
  { direction, withoutLine = false, withoutMetadata = false }: ReadOptions,
): Generator<StoredLine, void> {
  const order = direction === "forward" ? "ASC" : "DESC";
  const needles = requiredTexts(query);
  const wanted = needles.map(() => "instr(line, ?) > 0").join(" AND ");
  // SQLite also returns some rows that do not match: otherwise it could search for seconds while
  // the process does nothing else. The pipeline filters them out.
  const preselect = needles.length === 0 ? "" : ` AND ((${wanted}) OR id % 1024 = 0)`;
  const line = withoutLine ? "'' AS line" : "line";
  const metadata = withoutMetadata ? "'{}' AS metadata" : "metadata";
  const sql = `SELECT time_ns, ${line}, ${metadata} FROM logs
    WHERE stream = ? AND time_ns >= ? AND time_ns < ?${preselect}
    ORDER BY time_ns ${order}, id ${order}`;
  const parts = matchingStreams(store, query.matchers)
    .filter(({ id }) => hasLines(store, id, window))
    .map(({ id, labels }) => ({
      of: labels,
      bindings: [id, clampInt64(window.startNs), clampInt64(window.endNs), ...needles],
    }));
  const isBefore = (a: Row, b: Row): boolean =>
    direction === "forward" ? a.time_ns < b.time_ns : a.time_ns > b.time_ns;
  for (const { row, of } of readMerged(store.reader, sql, parts, "streams", isBefore)) {
    yield { timeNs: row.time_ns, line: row.line, metadata: row.metadata, stream: of };
  }
}

/** Texts that every matching line contains: SQLite filters by them faster than JavaScript. */
function requiredTexts(query: LogQuery): string[] {
  return query.stages
    .filter((stage) => stage.kind === "line")
    .filter(({ op, values }) => op === "|=" && values.length === 1 && values[0] !== "")
    .flatMap(({ values }) => values)
    .slice(0, 8);
}
