import { expect, test } from "bun:test";
import { saysResults, withResults } from "./readme-table.ts";
import type { Summary } from "./summary.ts";

const root = new URL("../..", import.meta.url).pathname;

test("the README shows the published results", async () => {
  const summary = (await Bun.file(`${root}/results/published/summary.json`).json()) as Summary;
  expect(saysResults(await Bun.file(`${root}/README.md`).text(), summary)).toBe(true);
});

test("who was measured without a part stands in a table of its own, beside the whole", async () => {
  const summary = (await Bun.file(`${root}/results/published/summary.json`).json()) as Summary;
  const [group] = summary.groups;
  if (group === undefined) throw new Error("nothing is published");
  const named = (investigator: string) => ({ ...group, investigator });
  const groups = [named("a"), named("b"), named("b+no-c"), named("exec:d+e")];
  const readme = withResults(
    "<!-- results: written by `bun runner.ts report --readme`, do not edit -->\n<!-- end of results -->",
    { ...summary, groups },
  );
  const heads = readme.split("\n").filter((line) => line.startsWith("| scenario"));
  expect(heads.map((line) => line.replaceAll(/[| ]+/g, " ").trim())).toEqual([
    "scenario a b exec:d+e",
    "scenario b b+no-c",
  ]);
});

test("the table goes between its markers, and nowhere else", () => {
  const empty: Summary = { schema_version: 2, runs: 0, groups: [], comparisons: [] };
  const before =
    "a\n<!-- results: written by `bun runner.ts report --readme`, do not edit -->\nold\n<!-- end of results -->\nb";
  const after = withResults(before, empty);
  expect(after).toStartWith("a\n<!-- results");
  expect(after).toEndWith("<!-- end of results -->\nb");
  expect(after).not.toContain("old");
  expect(saysResults(after, empty)).toBe(true);
  expect(() => withResults("no markers", empty)).toThrow("must be in the README");
});
