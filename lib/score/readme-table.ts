/** Keeps the README's results in step with results/summary.json. */
import type { Summary } from "./summary.ts";
import { summaryTable } from "./summary.ts";

const START = "<!-- results: written by `bun runner.ts report --readme`, do not edit -->";
const END = "<!-- end of results -->";

/** Returns `readme` with the table of `summary` between its markers; throws when they are not there. */
export function withResults(readme: string, summary: Summary): string {
  const from = readme.indexOf(START);
  const to = readme.indexOf(END);
  if (from < 0 || to < from)
    throw new TypeError(`Cannot write results: ${START} … ${END} must stand in the README`);
  return `${readme.slice(0, from + START.length)}\n\n${summaryTable(summary)}\n\n${readme.slice(to)}`;
}

/** Whether the README says what the summary does, whatever a formatter has made of the table. */
export function saysResults(readme: string, summary: Summary): boolean {
  const plain = (text: string): string =>
    text.replaceAll(/ *\| */g, "|").replaceAll(/-{3,}/g, "---");
  return plain(readme) === plain(withResults(readme, summary));
}
