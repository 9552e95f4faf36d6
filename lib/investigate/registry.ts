/** Investigators by name, as written on the command line. */
import { UsageError } from "../base/errors.ts";
import { baseline } from "./baseline/baseline.ts";
import { constant, loudest } from "./floors.ts";
import { createExecInvestigator } from "./external/exec.ts";
import type { Investigator } from "./investigator.ts";
import { createOllamaInvestigator } from "./ollama/agent.ts";
import { createOpenSreInvestigator } from "./opensre/opensre.ts";
import { toolboxOf, toolsetFor } from "./toolbox.ts";

/** What may be written after `--investigator`. */
export const INVESTIGATOR_NAMES = [
  "baseline",
  "constant",
  "loudest",
  "ollama[:<model>][+no-contrast][+no-refutation]",
  "opensre[:<model>]",
  "exec:<command>",
] as const;

const BUILT_IN: Readonly<Record<string, Investigator>> = { baseline, constant, loudest };

/** Returns the investigator of this name; throws UsageError that lists them otherwise. */
export function createInvestigator(name: string): Investigator {
  const found = Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined;
  if (found !== undefined) return found;
  const ollama = /^ollama(?::(.+?))?((?:\+no-contrast|\+no-refutation)*)$/.exec(name);
  if (ollama !== null) {
    const [, model, ablations = ""] = ollama;
    return createOllamaInvestigator({
      ...(model === undefined ? {} : { model }),
      contrast: !ablations.includes("+no-contrast"),
      refutation: !ablations.includes("+no-refutation"),
      toolbox: (input) => toolboxOf(toolsetFor(input)),
    });
  }
  const opensre = /^opensre(?::(.+))?$/.exec(name);
  if (opensre !== null) {
    const [, model] = opensre;
    return createOpenSreInvestigator(model === undefined ? {} : { model });
  }
  const exec = /^exec:(.*\S.*)$/.exec(name);
  if (exec !== null) return createExecInvestigator((exec[1] ?? "").trim());
  throw new UsageError(
    `Cannot choose investigator ${JSON.stringify(name)}: it must be one of ${INVESTIGATOR_NAMES.join(", ")}`,
  );
}
