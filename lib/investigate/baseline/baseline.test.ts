import { describe, expect, test } from "bun:test";
import { AnswerSchema } from "../../contract/answer.ts";
import { checkCitation } from "../../contract/citation.ts";
import type { InvestigationInput } from "../investigator.ts";
import { SIMULATED_INCIDENTS } from "../testing/incidents.ts";
import { HEALTHY, simulatedAlert, simulatedToolbox } from "../testing/system.ts";
import { diagnose } from "./baseline.ts";

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
      const tools = simulatedToolbox(system);
      const answer = await diagnose(inputOf(alert), tools);
      expect([answer.culprit, answer.fault_class]).toEqual([service, faultClass]);
      expect(AnswerSchema.safeParse(answer).error).toBeUndefined();
      for (const citation of answer.evidence) {
        expect(checkCitation(citation, tools.records)).toMatchObject({ grounded: true });
      }
    },
  );

  test("a healthy system is called healthy, whatever the alert says", async () => {
    const alert = simulatedAlert("Sensor down", "eo-sensor", "it is gone");
    const lines: string[] = [];
    const answer = await diagnose(inputOf(alert, lines), simulatedToolbox(HEALTHY));
    expect(answer).toMatchObject({
      culprit: null,
      fault_class: "none",
      remediation: { action: "no_action", target: null },
    });
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
    const once = await diagnose(inputOf(incident.alert), simulatedToolbox(incident.system));
    const again = await diagnose(inputOf(incident.alert), simulatedToolbox(incident.system));
    expect(again).toEqual(once);
  });
});
