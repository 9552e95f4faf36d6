/**
 * Injects a scenario's fault into a lab that is up, without an alert, an investigation or a score.
 */
import { createPrometheusClient } from "../base/prometheus.ts";
import { loadScenario } from "../../scenarios/load.ts";
import type { RunContext } from "./context.ts";
import { mustBeUp } from "./labs.ts";
import { prove } from "./steps.ts";

/**
 * Injects the fault and returns after its effect was measured; throws UsageError unless the lab is
 * up.
 */
export async function injectByHand(
  context: RunContext,
  name: string,
  choice: { readonly engine: string; readonly index: number },
): Promise<void> {
  const scenario = await loadScenario(name);
  const lab = context.createLab({ ...choice, lifetime: "until-down" });
  await mustBeUp(lab);
  const { signal } = context;
  const progress = context.progress();
  const prometheus = createPrometheusClient(`http://localhost:${lab.ports.prometheus}`);
  const fault = { lab, prometheus, signal, log: (line: string) => progress.line(line) };
  await scenario.fault.inject(fault);
  await prove(
    { prometheus, progress, signal },
    "the fault in force",
    scenario.deadlines.signatureMs,
    () => scenario.fault.probe(fault),
  );
}
