/**
 * Harmless changes of a healthy system: a restart of an innocent service, or a rollout of some.
 * They make a restart before an incident no sign of the culprit. The first repeat of a scenario has
 * none, so that a quick run is short.
 */
import { type MonotonicClock, systemClock } from "../base/clock.ts";
import { createPrng, type Prng } from "../base/prng.ts";
import { SERVICES, type ServiceName } from "../contract/topology.ts";
import type { Lab } from "../lab/lab.ts";
import type { Scenario } from "../../scenarios/load.ts";
import { proveBaseline, type StepContext } from "./steps.ts";

/** Services to restart one after the other. */
export interface BenignChange {
  readonly kind: "restart" | "rollout";
  readonly services: readonly ServiceName[];
}

const FIRST_REPEAT = 1;
const ROLLED_OUT = 3;

/**
 * The change before the fault of a repeat, chosen by the seed: none, a restart or a rollout with
 * equal probability.
 */
export function benignChange(
  seed: number,
  repeat: number,
  { fault, truth }: Pick<Scenario, "fault" | "truth">,
): BenignChange | undefined {
  if (repeat === FIRST_REPEAT) return undefined;
  const prng = createPrng(seed).child("benign change");
  const kind = pick(prng, ["none", "restart", "rollout"] as const);
  if (kind === "none") return undefined;
  const guilty = new Set([
    ...truth.faults.map(({ culprit }) => culprit),
    // The fault of a control has no culprit, but changes a service.
    ...Object.values(fault.parameters),
  ]);
  const innocent = SERVICES.filter((name) => !guilty.has(name));
  const services: ServiceName[] = [];
  while (services.length < (kind === "restart" ? 1 : ROLLED_OUT)) {
    services.push(
      pick(
        prng,
        innocent.filter((name) => !services.includes(name)),
      ),
    );
  }
  return { kind, services };
}

function pick<T>(prng: Prng, from: readonly T[]): T {
  const found = from[Math.floor(prng.next() * from.length)];
  if (found === undefined) throw new RangeError("there is nothing to pick from");
  return found;
}

/** Makes the change; the services are canonical before and after it. */
export async function applyBenignChange(
  lab: Pick<Lab, "stop" | "start" | "replace">,
  { kind, services }: BenignChange,
): Promise<void> {
  for (const service of services) {
    if (kind === "rollout") await lab.replace(service);
    else {
      await lab.stop(service);
      await lab.start(service);
    }
  }
}

/**
 * Makes the change, and waits until the system has been healthy for as long as a baseline since.
 */
export async function proveHarmless(
  step: StepContext,
  lab: Pick<Lab, "stop" | "start" | "replace">,
  change: BenignChange,
  deadlineMs: number,
  clock: MonotonicClock = systemClock,
): Promise<void> {
  step.progress.line(`a harmless ${change.kind} of ${change.services.join(", ")}`);
  await applyBenignChange(lab, change);
  const changedMs = clock.monotonicMs();
  await proveBaseline(step, deadlineMs, () => (clock.monotonicMs() - changedMs) / 1000);
}
