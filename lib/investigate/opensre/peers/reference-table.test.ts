import { expect, test } from "bun:test";
import { listScenarios } from "../../../../scenarios/load.ts";
import { REFERENCE, referenceTable } from "./reference-table.ts";

test("the reference has 9 of 26 points, in scenarios that exist", async () => {
  const table = referenceTable(new Map(), "here");
  expect(table).toContain("| sum | 9 of 26 | – |");
  const names = await listScenarios();
  for (const scenario of Object.keys(REFERENCE)) expect(names).toContain(scenario);
});

test("what was measured stands beside it; an invalid run is shown and not summed", () => {
  const measured = new Map([
    ["sensor-down", { points: 2, max: 3 }],
    ["message-flood", { points: -1, max: 5 }],
    ["memory-leak", null],
  ]);
  const table = referenceTable(measured, "opensre:m:1b");
  expect(table).toContain("| scenario | reference | opensre:m:1b |");
  expect(table).toContain("| sensor-down | 1/3 | 2/3 |");
  expect(table).toContain("| memory-leak | 1/5 | invalid |");
  expect(table).toContain("| network-partition | 1/4 | – |");
  expect(table).toContain("| sum | 9 of 26 | 1 of 8 |");
});
