/**
 * Re-creates a recorded incident from its truth (scenario, seed and repeat): the targets take the
 * same paths, the same harmless change comes first, and the fault's signature is verified again.
 * Does not wait for an alert, since there is no diagnosis.
 */
import { systemClock } from "../../base/clock.ts";
import { EnvironmentError } from "../../base/errors.ts";
import { createPrometheusClient, type PrometheusClient } from "../../base/prometheus.ts";
import type { Lab, ServiceState } from "../../lab/lab.ts";
import type { Scenario } from "../../../scenarios/load.ts";
import { proveHarmless, benignChange } from "../benign.ts";
import { LATER_FREEZE_SECONDS } from "../incident.ts";
import { Injection } from "../injection.ts";
import type { Progress } from "../progress.ts";
import type { Recording } from "../recorded-incident.ts";
import { prove, proveBaseline, proveRecovery, type StepContext } from "../steps.ts";
import { servicesOf } from "./remedy-session.ts";

/** A re-created incident, in the state at the start of an investigation. */
export interface ReCreated {
  readonly lab: Lab;
  readonly prometheus: PrometheusClient;
  readonly scenario: Scenario;
  /** All services in the healthy system. */
  readonly healthy: readonly ServiceState[];
}

export interface ReCreation {
  readonly lab: Lab;
  readonly scenario: Scenario;
  readonly recording: Pick<Recording, "seed" | "repeat" | "moment">;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Receives the name of each step as it begins. */
  readonly onPhase: (phase: string) => void;
}

/**
 * Creates the incident and runs `body` on it; finally heals the fault, verifies that every service
 * is canonical, and takes the lab down.
 */
export async function onReCreation(
  { lab, scenario, recording, progress, signal, onPhase }: ReCreation,
  body: (created: ReCreated) => Promise<void>,
): Promise<void> {
  if ((await lab.status()) !== null) {
    throw new EnvironmentError("Cannot build the incident again: somebody uses this lab");
  }
  const prometheus = createPrometheusClient(`http://localhost:${lab.ports.prometheus}`);
  const step: StepContext = { prometheus, progress, signal };
  const log = (line: string): void => progress.line(line);
  const injection = new Injection({
    scenario,
    context: { lab, prometheus, signal, log },
    cleanupLog: log,
  });
  try {
    onPhase("up");
    await lab.up({ keepTelemetry: false, fleetSeed: recording.seed, signal, onProgress: log });
    onPhase("baseline");
    await proveHealthy(step, lab, scenario, recording);
    const healthy = await servicesOf(lab);
    onPhase("inject");
    await injection.inject();
    await prove(step, "the fault in force", scenario.deadlines.injectMs, () =>
      scenario.fault.probe(injection.context),
    );
    onPhase("signature");
    await prove(
      step,
      `the signature: ${scenario.signature.describe}`,
      scenario.deadlines.signatureMs,
      () => scenario.signature.holds({ lab, prometheus }),
    );
    if (recording.moment === "later") {
      await systemClock.sleep(LATER_FREEZE_SECONDS * 1000, signal);
    }
    const isOver = scenario.investigate !== "while-firing";
    if (isOver) await healAndRecover(step, scenario, injection);
    await body({ lab, prometheus, scenario, healthy });
    onPhase("heal");
    if (!isOver) await injection.heal();
    await proveCanonical(step, lab);
  } finally {
    progress.settle();
    await injection.end();
    await lab.down();
  }
}

async function proveHealthy(
  step: StepContext,
  lab: Lab,
  scenario: Scenario,
  { seed, repeat }: Pick<Recording, "seed" | "repeat">,
): Promise<void> {
  await proveBaseline(step, scenario.deadlines.baselineMs);
  const benign = benignChange(seed, repeat, scenario);
  if (benign === undefined) return;
  await proveHarmless(step, lab, benign, scenario.deadlines.baselineMs);
}

async function healAndRecover(
  step: StepContext,
  { deadlines }: Scenario,
  injection: Injection,
): Promise<void> {
  await injection.heal();
  const startMs = performance.now();
  const since = (): number => (performance.now() - startMs) / 1000;
  await proveRecovery(step, deadlines.recoveryMs, since);
}

async function proveCanonical(step: StepContext, lab: Lab): Promise<void> {
  await prove(step, "every service canonical", 30_000, async () => {
    const odd = (await servicesOf(lab)).filter(({ canonical }) => !canonical);
    return { ok: odd.length === 0, seen: odd.map(({ service }) => service).join(", ") || "all" };
  });
}
