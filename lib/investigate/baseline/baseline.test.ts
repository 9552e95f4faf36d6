import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { AnswerSchema } from "../../contract/answer.ts";
import { singleFormOf } from "../../contract/testing/answers.ts";
import { checkCitation } from "../../contract/citation.ts";
import type { InvestigationInput } from "../investigator.ts";
import { SIMULATED_INCIDENTS } from "../testing/incidents.ts";
import { Simulation } from "../testing/simulation.ts";
import { HEALTHY, simulatedAlert } from "../testing/system.ts";
import { diagnose } from "./baseline.ts";

const simulation = await Simulation.start(SIMULATED_INCIDENTS.map(({ system }) => system));
afterAll(() => simulation[Symbol.asyncDispose]());
// Hundreds of queries; a busy machine takes its time.
setDefaultTimeout(60_000);

const inputOf = (alert: InvestigationInput["alert"], lines: string[] = []): InvestigationInput => ({
  alert,
  urls: { grafana: "g", prometheus: "p", loki: "l", tempo: "t" },
  budget: { wallMs: 1000, rounds: 1, tokens: 0 },
  transcript: {
    phase: (phase) => void lines.push(phase),
    note: () => {},
  },
  seed: 1,
});

describe("the baseline", () => {
  test.each(SIMULATED_INCIDENTS.map((incident) => [incident.name, incident] as const))(
    "%s",
    async (_, { alert, system, service, faultClass }) => {
      const { toolbox, at, onsetMs } = simulation.of(system);
      const tools = toolbox();
      const answer = await diagnose(inputOf(at(alert)), tools);
      const { culprit, fault_class } = singleFormOf(answer);
      expect([culprit, fault_class]).toEqual([service, faultClass]);
      expect(AnswerSchema.safeParse(answer).error).toBeUndefined();
      for (const citation of answer.evidence) {
        expect(checkCitation(citation, tools.records)).toMatchObject({ grounded: true });
      }
      expect(answer.evidence.length).toBeGreaterThan(1);
      // Slopes over a minute show late.
      const late = answer.onset === null ? null : Date.parse(answer.onset) - onsetMs;
      if (service !== null) expect(late).toBeWithin(0, 30_000);
    },
  );

  test("a healthy system is called healthy, whatever the alert says", async () => {
    const alert = simulatedAlert("Sensor down", "eo-sensor", "it is gone");
    const { toolbox, at } = simulation.of(HEALTHY);
    const lines: string[] = [];
    const answer = await diagnose(inputOf(at(alert), lines), toolbox());
    expect(answer.faults).toEqual([]);
    expect(lines).toEqual([
      "Reading alert",
      "Loading integrations",
      "Planning",
      "Gathering evidence",
      "Diagnosing",
      "Investigation complete",
    ]);
  });

  test("the same system gives the same answer", async () => {
    const [incident] = SIMULATED_INCIDENTS;
    if (incident === undefined) throw new Error("an incident");
    const { toolbox, at } = simulation.of(incident.system);
    const once = await diagnose(inputOf(at(incident.alert)), toolbox());
    const again = await diagnose(inputOf(at(incident.alert)), toolbox());
    expect(again).toEqual(once);
  });
});
