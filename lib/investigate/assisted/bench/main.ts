/**
 * Measures what each part of the agent contributes with a real model and without a lab. The model
 * that `OLLAMA_MODEL` names investigates the simulated incidents with the whole agent, without the
 * contrast, and without refutation. Prints JSON lines; the reference is the whole agent.
 */
import { runMain } from "../../../base/errors.ts";
import { printFigure } from "../../../base/figure.ts";
import { SIMULATED_INCIDENTS, type SimulatedIncident } from "../../testing/incidents.ts";
import { Simulation } from "../../testing/simulation.ts";
import { createAssistedInvestigator } from "../agent.ts";
import { type Ending, endingOf } from "./ending.ts";

const VARIANTS = {
  whole: {},
  "no-contrast": { contrast: false },
  "no-refutation": { refutation: false },
} as const;
type Variant = keyof typeof VARIANTS;

const BUDGET = { wallMs: 900_000, rounds: 5, tokens: 120_000 };
const SEED = 1;

interface Timed extends Ending {
  readonly seconds: number;
}

async function investigate(
  incident: SimulatedIncident,
  variant: Variant,
  simulation: Simulation,
): Promise<Timed> {
  const { toolbox, clock, urls, at } = simulation.of(incident.system);
  const agent = createAssistedInvestigator({
    ...VARIANTS[variant],
    toolbox,
    clock,
  });
  const { outcome, cost } = await agent.investigate({
    alert: at(incident.alert),
    urls,
    budget: BUDGET,
    seed: SEED,
    transcript: { phase: () => {}, note: () => {} },
  });
  const ending = endingOf(outcome, incident);
  process.stderr.write(`${variant}: ${incident.name}: ${ending.said}\n`);
  return { ...ending, seconds: cost.wallMs / 1000 };
}

interface Figure {
  readonly what: string;
  readonly unit: string;
  readonly of: (endings: readonly Timed[]) => number;
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
  await using simulation = await Simulation.start(SIMULATED_INCIDENTS.map(({ system }) => system));
  const references = new Map<string, number>();
  for (const variant of Object.keys(VARIANTS) as Variant[]) {
    const endings: Timed[] = [];
    for (const incident of SIMULATED_INCIDENTS) {
      endings.push(await investigate(incident, variant, simulation));
    }
    for (const { what, unit, of } of FIGURES) {
      const value = of(endings);
      const reference = references.get(what) ?? value;
      references.set(what, reference);
      printFigure(`${variant}: ${what}`, value, unit, reference);
    }
  }
}

await runMain(measure);
