/** Log queries: reads lines from the store, runs the pipeline and groups them into streams. */
import type { Budget } from "../budget.ts";
import type { Store } from "../store/store.ts";
import type { LogQuery } from "./ast.ts";
import { type Labels, lineLabels, type LineLabels, mergedLabels, runStages } from "./pipeline.ts";
import { readLines, type Window } from "./select.ts";

export interface LogOptions {
  readonly window: Window;
  readonly limit: number;
  readonly direction: "forward" | "backward";
  /**
   * Grafana requests labels by category: structured metadata and parsed labels are returned with
   * each line.
   */
  readonly categorize: boolean;
}

/** [nanoseconds, line], and the categories if requested. */
export type Entry = [string, string] | [string, string, Record<string, Labels>];

export interface ResultStream {
  readonly stream: Labels;
  readonly values: Entry[];
}

/** Runs a log query; returns streams in the order of their labels. */
export async function runLogQuery(
  store: Store,
  query: LogQuery,
  options: LogOptions,
  budget: Budget,
): Promise<ResultStream[]> {
  const streams = new Map<string, ResultStream>();
  let count = 0;
  for (const row of readLines(store, query, options.window, options)) {
    const pause = budget.row();
    if (pause !== undefined) await pause;
    if (count >= options.limit) break;
    const metadata = JSON.parse(row.metadata) as Labels;
    const labels = runStages(query.stages, row.line, lineLabels(row.stream, metadata));
    if (labels === undefined) continue;
    count += 1;
    const shown = ordered(options.categorize ? labels.stream : mergedLabels(labels));
    const key = JSON.stringify(shown);
    const known = streams.get(key) ?? { stream: shown, values: [] };
    streams.set(key, known);
    known.values.push(entryOf(row.timeNs, row.line, labels, options.categorize));
  }
  return [...streams].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, stream]) => stream);
}

function entryOf(timeNs: bigint, line: string, labels: LineLabels, categorize: boolean): Entry {
  if (!categorize) return [timeNs.toString(), line];
  const categories: Record<string, Labels> = {};
  if (Object.keys(labels.metadata).length > 0) categories["structuredMetadata"] = labels.metadata;
  if (Object.keys(labels.parsed).length > 0) categories["parsed"] = labels.parsed;
  return [timeNs.toString(), line, categories];
}

/** The labels sorted by name. */
function ordered(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The labels sorted by name, without empty ones: the identity of a series. */
export function sorted(labels: Labels): Labels {
  return ordered(Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== "")));
}
