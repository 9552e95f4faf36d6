import { expect, test } from "bun:test";
import { SERVICES } from "../../contract/topology.ts";
import { readRules } from "../rules.ts";
import { PROVOCATIONS } from "./provocations.ts";

test("every rule is provoked once", () => {
  const provoked = PROVOCATIONS.flatMap(({ fires }) => Object.keys(fires));
  expect(provoked.toSorted()).toEqual(
    readRules()
      .map(({ uid }) => uid)
      .toSorted(),
  );
});

test("what a provocation changes are services, which its end makes canonical again", () => {
  for (const { changes } of PROVOCATIONS) {
    expect(changes.length).toBeGreaterThan(0);
    expect(changes.filter((name) => !SERVICES.includes(name))).toEqual([]);
  }
});
