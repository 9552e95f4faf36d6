/** Writes the published results into the README, and checks them. */
import type { Summary } from "./summary.ts";
import { summaryTable } from "./tables.ts";

type Group = Summary["groups"][number];

const START = "<!-- results: written by `bun runner.ts report --readme`, do not edit -->";
const END = "<!-- end of results -->";

/** Returns `readme` with the table of `summary` between its markers; throws without the markers. */
export function withResults(readme: string, summary: Summary): string {
  const from = readme.indexOf(START);
  const to = readme.indexOf(END);
  if (from < 0 || to < from)
    throw new TypeError(`Cannot write results: ${START} … ${END} must be in the README`);
  return `${readme.slice(0, from + START.length)}\n\n${tables(summary)}\n\n${readme.slice(to)}`;
}

/** `<name>+<part>` is the investigator `<name>` without that part. */
const isCutOf = (one: Group, whole: Group): boolean =>
  one.investigator.startsWith(`${whole.investigator}+`);

/** One table of all complete investigators, and one that compares the reduced ones with them. */
function tables(summary: Summary): string {
  const { groups } = summary;
  const cuts = groups.filter((one) => groups.some((whole) => isCutOf(one, whole)));
  const wholes = groups.filter((one) => !cuts.includes(one));
  const table = summaryTable({ ...summary, groups: wholes });
  if (cuts.length === 0) return table;
  const compared = wholes.filter((whole) => cuts.some((one) => isCutOf(one, whole)));
  const below = summaryTable({ ...summary, groups: [...compared, ...cuts] });
  return `${table}\n\nThe same without one of its parts:\n\n${below}`;
}

/** Whether the README contains the table of this summary, in any formatting. */
export function saysResults(readme: string, summary: Summary): boolean {
  const plain = (text: string): string =>
    text.replaceAll(/ *\| */g, "|").replaceAll(/-{3,}/g, "---");
  return plain(readme) === plain(withResults(readme, summary));
}
