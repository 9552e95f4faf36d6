/**
 * What each part of the agent is worth with a real model, without a lab: the model that `OLLAMA_MODEL` names investigates the simulated
 * incidents with the whole agent, without the contrast, and without refutation. Prints JSON lines; the reference is the whole agent.
 */
import { messageOf, UserFacingError } from "../../../base/errors.ts";
import { SIMULATED_INCIDENTS, type SimulatedIncident } from "../../testing/incidents.ts";
import { simulatedToolbox } from "../../testing/system.ts";
import { createOllamaInvestigator } from "../agent.ts";

const VARIANTS = {
  whole: {},
  "no-contrast": { contrast: false },
  "no-refutation": { refutation: false },
} as const;
type Variant = keyof typeof VARIANTS;

const BUDGET = { wallMs: 900_000, rounds: 5, tokens: 120_000 };
const SEED = 1;

/** How one investigation of an incident ended. */
interface Ending {
  readonly service: boolean;
  readonly right: boolean;
  /** Squared difference between the stated confidence and whether the diagnosis was right. */
  readonly brier: number;
  readonly seconds: number;
}

async function investigate(incident: SimulatedIncident, variant: Variant): Promise<Ending> {
  const agent = createOllamaInvestigator({
    ...VARIANTS[variant],
    toolbox: () => simulatedToolbox(incident.system),
  });
  const { outcome, cost } = await agent.investigate({
    alert: incident.alert,
    urls: { grafana: "", prometheus: "", loki: "", tempo: "" },
    budget: BUDGET,
    seed: SEED,
    transcript: { phase: () => {}, note: () => {} },
  });
  const seconds = cost.wallMs / 1000;
  if (outcome.kind === "agent-failure") {
    process.stderr.write(`${variant}: ${incident.name}: ${outcome.reason}\n`);
    return { service: false, right: false, brier: 0, seconds };
  }
  const { culprit, fault_class, confidence } = outcome.answer;
  const right = culprit === incident.service && fault_class === incident.faultClass;
  const named = `${culprit ?? "no service"} ${fault_class}`;
  process.stderr.write(`${variant}: ${incident.name}: ${right ? "right" : `wrong, ${named}`}\n`);
  const service = culprit === incident.service && fault_class !== "unknown";
  return { service, right, brier: (confidence - (right ? 1 : 0)) ** 2, seconds };
}

interface Figure {
  readonly what: string;
  readonly unit: string;
  readonly of: (endings: readonly Ending[]) => number;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const FIGURES: readonly Figure[] = [
  { what: "right services", unit: "1", of: (all) => mean(all.map((one) => Number(one.service))) },
  { what: "right diagnoses", unit: "1", of: (all) => mean(all.map((one) => Number(one.right))) },
  { what: "Brier score", unit: "1", of: (all) => mean(all.map(({ brier }) => brier)) },
  { what: "seconds", unit: "s", of: (all) => mean(all.map(({ seconds }) => seconds)) },
];

async function measure(): Promise<void> {
  const references = new Map<string, number>();
  for (const variant of Object.keys(VARIANTS) as Variant[]) {
    const endings: Ending[] = [];
    for (const incident of SIMULATED_INCIDENTS) endings.push(await investigate(incident, variant));
    for (const { what, unit, of } of FIGURES) {
      const value = of(endings);
      const reference = references.get(what) ?? value;
      references.set(what, reference);
      const ratio = reference === 0 ? null : value / reference;
      const name = `${variant}: ${what}`;
      process.stdout.write(`${JSON.stringify({ name, value, unit, reference, ratio })}\n`);
    }
  }
}

try {
  await measure();
} catch (error) {
  if (!(error instanceof UserFacingError)) throw error;
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error.exitCode;
}
