import { afterAll, describe, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRules } from "../rules.ts";
import { confusionRows, countEnds, coverageRows } from "./coverage.ts";
import { addToLedger, isSettled, type Pair, readLedger } from "./ledger.ts";
import { endOf } from "./verify-kinds.ts";

const folder = mkdtempSync(join(tmpdir(), "ledger-"));
afterAll(() => rmSync(folder, { recursive: true }));

const pair = (name: string, end: Pair["end"], holds: string[] = []): Pair => {
  const [kind = "", service = ""] = name.split(".");
  const alert = end === "fires" ? "service-down" : null;
  return { name, kind, service, end, alert, holds, seconds: 1, reason: "", found_unix_ms: 1 };
};

test("a ledger keeps the last line about a pair, and skips one that a crash has cut off", () => {
  const path = join(folder, "deep", "a.jsonl");
  expect(readLedger(path)).toEqual([]);
  addToLedger(path, pair("process-exit.eo-sensor", "silent"));
  appendFileSync(path, '{"name":"process-ki');
  appendFileSync(path, "\n");
  addToLedger(path, pair("process-exit.eo-sensor", "fires"));
  expect(readLedger(path)).toEqual([pair("process-exit.eo-sensor", "fires")]);
});

test("a pair of which the environment failed is tried again", () => {
  const ends = (["fires", "silent", "impossible", "invalid"] as const).map((end) =>
    isSettled(pair("process-exit.eo-sensor", end)),
  );
  expect(ends).toEqual([true, true, true, false]);
});

describe("the tables of a ledger", () => {
  const pairs = [
    pair("process-exit.eo-sensor", "fires", ["process-exit", "sensor-slow-rate"]),
    pair("process-exit.esm-sensor", "silent"),
    pair("packet-delay.eo-sensor.900", "impossible"),
  ];

  test("coverage has a row for each kind and a column for each service", () => {
    expect(coverageRows(pairs)).toEqual([
      ["packet-delay", "–", "–", "impossible", "–", "–", "–", "–", "–"],
      ["process-exit", "–", "silent", "fires: service-down", "–", "–", "–", "–", "–"],
    ]);
    expect(countEnds(pairs)).toMatchObject({ fires: 1, silent: 1, impossible: 1, bites: 0 });
  });

  test("confusion says which other signatures held", () => {
    expect(confusionRows(pairs)).toEqual([["process-exit", "1 of 1", "sensor-slow-rate 1"]]);
  });
});

describe("endOf()", () => {
  const rules = readRules();
  const events = (...names: string[]) => names.map((name) => ({ name, unixMs: 1 })) as never;
  const invalid = (phase: string) =>
    ({ kind: "environment-invalid", phase, reason: "it failed" }) as const;
  const alert = { alert_name: rules.find(({ uid }) => uid === "service-down")?.title } as never;

  test.each([
    ["fires", { kind: "valid" } as const, events("inject", "signature", "alert-firing"), alert],
    ["silent", invalid("signature and alert"), events("inject", "signature"), null],
    ["no-effect", invalid("signature and alert"), events("inject"), null],
    ["impossible", invalid("inject"), events("up", "inject"), null],
    ["invalid", invalid("baseline"), events("up"), null],
    ["invalid", { kind: "harness-defect", reason: "it failed" } as const, events("inject"), null],
    ["invalid", invalid("freeze"), events("inject", "signature", "alert-firing"), alert],
    ["fades", invalid("signature-after"), events("inject", "signature", "alert-firing"), alert],
    ["stays-broken", invalid("recovery"), events("inject", "signature", "alert-firing"), alert],
  ] as const)("%s", (end, outcome, timeline, fired) => {
    expect(endOf({ outcome, timeline, alert: fired }, rules)).toMatchObject({
      end,
      alert: fired === null ? null : "service-down",
      reason: outcome.kind === "valid" ? "" : "it failed",
    });
  });
});
