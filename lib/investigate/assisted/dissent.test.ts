import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Investigation } from "../investigator.ts";
import type { ChatRequestSeen } from "../model/testing/scripted-server.ts";
import { Simulation } from "../testing/simulation.ts";
import { createAssistedInvestigator } from "./agent.ts";
import { answerOf, BUDGET, examine, incidentOf } from "./testing/harness.ts";
import { allowed, kindOf, pickingModel, promptOf } from "./testing/scripted-model.ts";

const FLOOD = incidentOf("one sensor floods");
const HEALTHY = incidentOf("nothing is wrong any more");
const simulation = await Simulation.start([FLOOD.system, HEALTHY.system]);
afterAll(() => simulation[Symbol.asyncDispose]());
setDefaultTimeout(60_000);

describe("the last word is the model's", () => {
  /** Repeats its answer, whatever the prompt says. */
  const insisting = (service: string, faultClass: string) =>
    pickingModel((options, name) => {
      const wanted = name === "service" ? service : faultClass;
      return options.find((option) => option === wanted) ?? options[0] ?? "";
    });

  test("a class that is refuted stands if the model keeps to it, with the confidence it deserves", async () => {
    const { result, lines } = await examine(
      simulation,
      FLOOD,
      insisting("eo-sensor", "memory_leak"),
    );
    expect(answerOf(result)).toMatchObject({ culprit: "eo-sensor", fault_class: "memory_leak" });
    expect(answerOf(result).confidence).toBeLessThanOrEqual(0.1);
    expect(lines.join("\n")).toContain("keeps to eo-sensor memory_leak, against telemetry");
  });

  test("so does that nothing is wrong", async () => {
    const { result, chats } = await examine(simulation, FLOOD, insisting("no_service", "none"));
    expect(answerOf(result).fault_class).toBe("none");
    expect(answerOf(result).confidence).toBeLessThanOrEqual(0.1);
    expect(chats.map(promptOf).join("\n")).toContain("that nothing is wrong is refuted");
  });

  test("a class without tests of its own is not refuted by silence", async () => {
    const { result, lines } = await examine(
      simulation,
      HEALTHY,
      insisting("esm-sensor", "bad_configuration"),
    );
    expect(answerOf(result)).toMatchObject({
      culprit: "esm-sensor",
      fault_class: "bad_configuration",
    });
    expect(answerOf(result).confidence).toBeLessThan(0.3);
    expect(lines.join("\n")).not.toContain("bad_configuration is refuted");
  });

  test("nor by another service's anomaly: the model is told of it, and keeps to its word", async () => {
    const { result, lines } = await examine(
      simulation,
      FLOOD,
      insisting("track-fusion", "bad_configuration"),
    );
    expect(lines.join("\n")).toContain("track-fusion bad_configuration is not refuted, but");
    expect(answerOf(result)).toMatchObject({
      culprit: "track-fusion",
      fault_class: "bad_configuration",
    });
    expect(answerOf(result).confidence).toBeLessThan(0.3);
  });

  test("the one class that is left is asked for, not assumed", async () => {
    const { chats } = await examine(simulation, FLOOD, insisting("eo-sensor", "memory_leak"));
    const asked = chats.filter((chat) => kindOf(chat) === "choose again");
    expect(asked).toHaveLength(1);
    expect(allowed(asked[0] as ChatRequestSeen, "fault_class")).toEqual([
      "message_flood",
      "another_service",
      "bad_configuration",
      "memory_leak",
    ]);
  });
});

describe("chance in the place of a model", () => {
  const draw = async (seed: number) => {
    const { toolbox, urls, at } = simulation.of(FLOOD.system);
    const investigator = createAssistedInvestigator({ model: "random", env: {}, toolbox });
    expect(investigator.name).toBe("assisted:random");
    return investigator.investigate({
      alert: at(FLOOD.alert),
      urls,
      budget: BUDGET,
      seed,
      transcript: { phase: () => {}, note: () => {} },
    });
  };

  test("asks no model, repeats itself with the seed, and differs without it", async () => {
    const all = await Promise.all(Array.from({ length: 8 }, (_, seed) => draw(seed)));
    expect(all.every(({ cost }) => cost.modelCalls === 0)).toBe(true);
    expect(answerOf(await draw(3))).toEqual(answerOf(all[3] as Investigation));
    const said = all.map((one) =>
      JSON.stringify([answerOf(one).culprit, answerOf(one).fault_class]),
    );
    expect(new Set(said).size).toBeGreaterThan(1);
  });
});
