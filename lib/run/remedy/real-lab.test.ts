/**
 * Runs a short part of the matrix in real labs: the effect of three actions on a setting that loses
 * messages.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { createLab } from "../../lab/create-lab.ts";
import { loadScenario } from "../../../scenarios/load.ts";
import { readTruths } from "../recorded-incident.ts";
import { silent } from "../testing/silent.ts";
import { type Execution, executeUntilValid } from "./execution.ts";
import type { Patience } from "./judge.ts";
import { changesAnything } from "./plan.ts";
import { actsOfMatrix, fits, MATRIX_ACTIONS } from "./wanted.ts";

const FIRST_LAB = 1;
const TIMEOUT_MS = 10 * 60_000;
const SCENARIO = "dds-qos-mismatch";
const INCIDENTS = new URL("../../../results/incidents", import.meta.url).pathname;

/** Shorter than in a measurement. */
const QUICK: Patience = {
  settleMs: 6000,
  goneMs: 60_000,
  holdMs: 15_000,
  restartedMs: 5000,
  flowMs: 90_000,
};

const REMEDIES = ["restart_service", "raise_memory_limit", "correct_qos_profile"] as const;

describe("a QoS that no reader accepts", () => {
  const executions = new Map<string, Execution>();

  beforeAll(async () => {
    const recording = [...readTruths([INCIDENTS]).values()].find(
      ({ scenario }) => scenario === SCENARIO,
    );
    if (recording === undefined) throw new Error(`no recorded incident of ${SCENARIO}`);
    const scenario = await loadScenario(SCENARIO);
    const all = REMEDIES.map(async (action, i) => {
      const lab = createLab({
        engine: "native",
        index: FIRST_LAB + i,
        lifetime: "with-caller",
      });
      const acts = actsOfMatrix(action, scenario);
      const execution = await executeUntilValid({
        recording,
        scenario,
        acts,
        lab,
        versions: {},
        progress: silent,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        patience: QUICK,
      });
      executions.set(action, execution);
    });
    await Promise.all(all);
  }, TIMEOUT_MS);

  const verdictsOf = (action: string): (boolean | null)[] =>
    Object.values(executions.get(action)?.verdicts ?? {}).map(({ holds }) => holds);

  test.each([...REMEDIES])("%s was carried out and undone", (action) => {
    expect(executions.get(action)?.outcome).toEqual({ kind: "valid" });
    expect(executions.get(action)?.log.join("\n")).toContain("undone: every service is as it was");
  });

  test("a restart keeps the setting, and repairs nothing", () => {
    expect(verdictsOf("restart_service")).toEqual([false, null, null, null, true]);
  });

  test("a raised limit keeps the setting, and does not fit", () => {
    expect(verdictsOf("raise_memory_limit")).toEqual([false, null, null, null, false]);
  });

  test("the corrected profile repairs by all five verdicts", () => {
    expect(verdictsOf("correct_qos_profile")).toEqual([true, true, true, true, true]);
  });

  test("of the other actions, only fitting ones would change anything", async () => {
    const scenario = await loadScenario(SCENARIO);
    const before = executions.get("restart_service")?.before ?? [];
    const changing = MATRIX_ACTIONS.filter((action) =>
      changesAnything(actsOfMatrix(action, scenario), before, scenario.fault),
    );
    const carriedOut: readonly string[] = REMEDIES;
    const others = changing.filter((action) => !carriedOut.includes(action));
    expect(others).toEqual(["roll_back", "correct_configuration"]);
    expect(others.every((action) => fits(action, scenario))).toBe(true);
  });
});
