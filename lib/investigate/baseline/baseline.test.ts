import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { AnswerSchema } from "../../contract/answer.ts";
import { singleFormOf } from "../../contract/testing/answers.ts";
import { checkCitation } from "../../contract/citation.ts";
import type { InvestigationInput } from "../investigator.ts";
import { SIMULATED_INCIDENTS } from "../testing/incidents.ts";
import { Simulation } from "../testing/simulation.ts";
import { changed, HEALTHY, simulatedAlert, type SystemNumbers } from "../testing/system.ts";
import { diagnose } from "./baseline.ts";

/** Anomalies that no class of the rule book explains. */
const SLOW = changed("radar-sensor", { published: 1.4 }, { ingested: { "RADAR-1": 1.4 } });
const PORT_CLOSED = changed("esm-sensor", { up: false });
const LATE_SENSORS: SystemNumbers = {
  ...HEALTHY,
  services: {
    ...HEALTHY.services,
    "radar-sensor": { ...HEALTHY.services["radar-sensor"], warnings: 1 },
    "eo-sensor": { ...HEALTHY.services["eo-sensor"], warnings: 1 },
  },
};
/** A scan that is sometimes late: an alert fires, but every flow is unchanged. */
const HARMLESS = changed("esm-sensor", { starts: 1 }, { contributorsRemoved: 1 });
const gone = { running: false };
const TWO_GONE: SystemNumbers = {
  ...HEALTHY,
  services: {
    ...HEALTHY.services,
    "radar-sensor": { ...HEALTHY.services["radar-sensor"], ...gone },
    "eo-sensor": { ...HEALTHY.services["eo-sensor"], ...gone },
  },
  ingested: { ...HEALTHY.ingested, "RADAR-1": 0, "EO-3": 0 },
};

const simulation = await Simulation.start([
  ...SIMULATED_INCIDENTS.map(({ system }) => system),
  SLOW,
  PORT_CLOSED,
  HARMLESS,
  TWO_GONE,
  LATE_SENSORS,
]);
afterAll(() => simulation[Symbol.asyncDispose]());
// The tests run hundreds of queries, which takes long on a busy machine.
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
      // The slope over a minute shows a leak with a delay.
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

  const DROPPED = simulatedAlert("Fusion contributors dropped", "track-fusion", "one is gone");
  const ask = async (system: SystemNumbers, seed = 1) => {
    const { toolbox, at } = simulation.of(system);
    const tools = toolbox();
    const answer = await diagnose({ ...inputOf(at(DROPPED)), seed }, tools);
    for (const citation of answer.evidence) {
      expect(checkCitation(citation, tools.records)).toMatchObject({ grounded: true });
    }
    return answer;
  };

  test("a sensor at a twentieth of its rate is a slow publisher", async () => {
    const answer = await ask(SLOW);
    const named = { culprit: "radar-sensor", fault_class: "slow_publisher" };
    expect(singleFormOf(answer)).toMatchObject(named);
    expect(answer.mechanism).toContain("far less of it arrives than it should send");
  });

  test("sensors that warn at once without a reason of their own are the host's fault", async () => {
    const alert = simulatedAlert("Sensor rate off", "radar-sensor", "its rate is low");
    const { toolbox, at } = simulation.of(LATE_SENSORS);
    const { faults, onset } = await diagnose(inputOf(at(alert)), toolbox());
    expect(faults).toMatchObject([
      {
        culprit: "host",
        fault_class: "host_contention",
        remediation: { action: "relieve_host", target: "host" },
      },
    ]);
    expect(onset).not.toBeNull();
  });

  test("what no class explains is unknown, with where it begins: a closed scrape port", async () => {
    const answer = await ask(PORT_CLOSED);
    expect(singleFormOf(answer)).toMatchObject({
      culprit: "esm-sensor",
      fault_class: "unknown",
      remediation: { action: "gather_more_evidence" },
    });
    expect(answer.mechanism).toContain("every service answers scrapes");
    expect(answer.confidence).toBeLessThanOrEqual(0.1);
    expect(answer.evidence.length).toBeGreaterThan(0);
  });

  test("while an alert fires, it is never sure that nothing is wrong", async () => {
    const answer = await ask(HARMLESS);
    expect(answer.faults).toEqual([]);
    expect(answer.confidence).toBeLessThanOrEqual(0.5);
    expect(answer.mechanism).toContain("The alert still fires");
  });

  test("two services of which each has evidence of its own are both named, less surely", async () => {
    const answer = await ask(TWO_GONE);
    const named = answer.faults.map(({ culprit, fault_class }) => `${culprit} ${fault_class}`);
    expect(new Set(named)).toEqual(
      new Set(["eo-sensor process_exited", "radar-sensor process_exited"]),
    );
    expect(answer.confidence).toBeLessThan(0.5);
    expect(answer.mechanism).toContain(
      "Equally supported: eo-sensor process_exited, radar-sensor process_exited.",
    );
  });

  test("the order of the topology does not say which of two comes first", async () => {
    const firsts = await Promise.all(
      Array.from({ length: 8 }, async (_, seed) => (await ask(TWO_GONE, seed)).faults[0]?.culprit),
    );
    expect(new Set(firsts).size).toBe(2);
  });
});
