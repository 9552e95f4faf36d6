import { afterEach, expect, test } from "bun:test";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { EnvironmentError } from "../../base/errors.ts";
import type { Manifest } from "../../score/run-record.ts";
import { readManifests } from "../artefacts.ts";
import type { RunContext } from "../context.ts";
import { mergeResults } from "../report.ts";
import { silent } from "../testing/silent.ts";
import { type CarriedOut, carryOut, type RemedyRequest } from "./carry-out.ts";
import { tablesOf } from "./tables.ts";
import { HeldLab } from "./testing/held-lab.ts";

const ROOT = new URL("../../..", import.meta.url).pathname;
const INCIDENT = "f7f2acd4546330de";

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** Published examinations of sensor-down by these investigators. */
function someResults(investigators: readonly string[]): string {
  const folder = mkdtempSync(`${tmpdir()}/remedies-`);
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of investigators) {
    const run = `runs/${name}/sensor-down/${INCIDENT}`;
    cpSync(`${ROOT}/results/published/${run}`, `${folder}/${run}`, { recursive: true });
    const path = `${folder}/${run}/manifest.json`;
    const manifest = JSON.parse(readFileSync(path, "utf8")) as Manifest;
    writeFileSync(path, JSON.stringify({ ...manifest, repair: null }));
  }
  return folder;
}

function world(): { held: HeldLab; context: RunContext } {
  const held = new HeldLab();
  cleanups.push(() => held[Symbol.asyncDispose]());
  const context: RunContext = {
    signal: new AbortController().signal,
    progress: () => silent,
    createLab: () => held.lab,
    claimLab: () => ({ release: () => {} }),
  };
  return { held, context };
}

const requestFor = (results: string, more: Partial<RemedyRequest> = {}): RemedyRequest => ({
  results,
  incidents: [`${ROOT}/results/incidents`],
  labs: { engine: "native", first: 0, count: 1 },
  scenarios: ["sensor-down"],
  investigators: [],
  floors: false,
  matrix: false,
  kept: false,
  patience: { settleMs: 1, goneMs: 20, holdMs: 20, restartedMs: 20, flowMs: 20 },
  ...more,
});

const repairs = ({ runs }: CarriedOut): Record<string, boolean | null> =>
  Object.fromEntries(
    runs.map(({ investigator, repair }) => [investigator, repair?.repaired ?? null]),
  );

test("answers' remedies are carried out once each, and stand beside the diagnosis", async () => {
  // baseline and loudest start the radar; lookup restores another network; random has no useful
  // effect.
  const results = someResults(["baseline", "loudest", "lookup", "latest-change"]);
  const { held, context } = world();
  const first = await carryOut(context, requestFor(results));
  expect(repairs(first)).toEqual({
    baseline: true,
    loudest: true,
    lookup: false,
    "latest-change": false,
  });
  // Doing nothing, and starting the radar: attaching an attached network counts as doing nothing.
  expect(held.ups).toBe(2);
  expect(readdirSync(`${results}/remedies/${INCIDENT}`)).toHaveLength(2);
  expect(first.runs.find(({ investigator }) => investigator === "baseline")?.repair).toMatchObject({
    acts: ["start_service radar-sensor"],
    refused: [],
    execution: expect.stringContaining(INCIDENT),
  });
  expect(readFileSync(`${results}/summary.md`, "utf8")).toContain("100 % (");
  expect(readFileSync(`${results}/remedies.md`, "utf8")).toContain("| do nothing | no |");
  // The score may be computed again; the repair is a measurement and is kept.
  await mergeResults([results], { results, readme: false, rescore: true }, silent);
  const again = await readManifests(`${results}/runs`);
  expect(again.map(({ manifest }) => manifest.repair)).toEqual(
    first.runs.map(({ repair }) => repair),
  );
  // What is kept suffices, without a lab.
  const { context: without } = world();
  const kept = await carryOut(without, requestFor(results, { kept: true }));
  expect(repairs(kept)).toEqual(repairs(first));
  expect(kept.tables).toEqual(first.tables);
  // A second run has nothing to do and reports the same.
  const second = await carryOut(context, requestFor(results));
  expect(held.ups).toBe(2);
  expect(repairs(second)).toEqual(repairs(first));
});

test("a stopped run goes on where it was; a torn execution is carried out again", async () => {
  const results = someResults(["baseline"]);
  const { held, context } = world();
  await carryOut(context, requestFor(results, { investigators: ["nobody"], floors: true }));
  // Doing nothing, restarting the alerted service, restarting everything.
  expect(held.ups).toBe(3);
  await carryOut(context, requestFor(results));
  expect(held.ups).toBe(4);
  const folder = `${results}/remedies/${INCIDENT}`;
  const torn = readdirSync(folder).find((name) => name.startsWith("start_service"));
  writeFileSync(`${folder}/${torn}`, "{");
  await carryOut(context, requestFor(results));
  expect(held.ups).toBe(5);
});

test("what could not be carried out is a dash, is tried once more, and is no zero", async () => {
  const results = someResults(["baseline"]);
  const { held, context } = world();
  held.broken = new EnvironmentError("this lab never comes up");
  const found = await carryOut(context, requestFor(results));
  expect(repairs(found)).toEqual({ baseline: null });
  expect(found.failed.map(({ outcome }) => outcome)).toContainEqual({
    kind: "environment-invalid",
    phase: "up",
    reason: "this lab never comes up",
  });
  // Two remedies, each tried twice.
  expect(held.ups).toBe(4);
  expect(readFileSync(`${results}/summary.md`, "utf8")).toContain("| – | 0 of 1 |");
  held.broken = undefined;
  expect(repairs(await carryOut(context, requestFor(results)))).toEqual({ baseline: true });
});

test("floors and matrix: only starting it repairs a service that has exited", async () => {
  const results = someResults([]);
  const { context } = world();
  const { tables } = await carryOut(context, requestFor(results, { floors: true, matrix: true }));
  const repairing = (rows: typeof tables.matrix) =>
    rows.filter(({ effects }) => effects["sensor-down"] === "repaired").map(({ name }) => name);
  expect(repairing(tables.floors)).toEqual(["restart the alerted service"]);
  expect(repairing(tables.matrix)).toEqual(["start_service", "restart_service"]);
  expect(tables.unfit).toEqual([]);
  const effectOf = (action: string) =>
    tables.matrix.find(({ name }) => name === action)?.effects["sensor-down"];
  expect(effectOf("correct_configuration")).toBe("nothing to change");
  expect(effectOf("correct_qos_profile")).toBe("nothing to change");
});

test("the tables have generated scenarios, and leave out those that are gone", async () => {
  const one = {
    schema_version: 1 as const,
    incident: INCIDENT,
    engine: "native",
    key: "do nothing",
    acts: [],
    said: [],
    outcome: { kind: "valid" as const },
    before: [],
    verdicts: null,
    repaired: false,
    started_unix_ms: 0,
    seconds: 1,
    versions: {},
    log: [],
  };
  const names = ["process-exit.eo-sensor", "sensor-down", "gone", "gone.eo-sensor"];
  const { scenarios, floors } = await tablesOf(names.map((scenario) => ({ ...one, scenario })));
  expect(scenarios).toEqual(["process-exit.eo-sensor", "sensor-down"]);
  expect(floors[0]?.effects).toEqual({
    "process-exit.eo-sensor": "not repaired",
    "sensor-down": "not repaired",
  });
});

test("an incident whose truth is missing is named", () => {
  const results = someResults(["baseline"]);
  const { context } = world();
  expect(carryOut(context, requestFor(results, { incidents: ["/nowhere"] }))).rejects.toThrow(
    `Cannot carry out remedies of incident ${INCIDENT}: its truth must be in one of /nowhere`,
  );
});
