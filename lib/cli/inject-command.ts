/** Injects a scenario's fault into the running lab by hand. */
import { createPrometheusClient } from "../base/prometheus.ts";
import { loadScenario } from "../../scenarios/load.ts";
import type { LabOptions } from "./command-line.ts";
import { type CommandContext, mustBeUp } from "../run/context.ts";
import { createProgress } from "../run/progress.ts";
import { prove } from "../run/steps.ts";

export async function inject(
  context: CommandContext,
  name: string,
  { engine, lab: index }: LabOptions,
): Promise<number> {
  const scenario = await loadScenario(name);
  const lab = context.createLab({ engine, index, lifetime: "until-down" });
  await mustBeUp(lab);
  const progress = createProgress({});
  const prometheus = createPrometheusClient(`http://localhost:${lab.ports.prometheus}`);
  const fault = {
    lab,
    prometheus,
    signal: context.signal,
    log: (line: string) => progress.line(line),
  };
  await scenario.fault.inject(fault);
  await prove(
    { prometheus, progress, signal: context.signal },
    "the fault in force",
    scenario.deadlines.signatureMs,
    () => scenario.fault.probe(fault),
  );
  progress.line("`bun runner.ts cleanup` makes every service canonical again");
  return 0;
}
