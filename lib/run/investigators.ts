/** Selects investigators by the names on a command line. */
import { createMcpInvestigator } from "../investigate/external/mcp.ts";
import type { Budget, Investigator } from "../investigate/investigator.ts";
import { createInvestigator, type ModelSettings } from "../investigate/registry.ts";

export { INVESTIGATOR_NAMES, withoutPillars } from "../investigate/registry.ts";
export { type Withheld, withheldFrom } from "../investigate/tools/withhold.ts";

export { checkModel } from "../investigate/model/check.ts";

/** Maximum cost of an investigation; a local 7B model needs minutes. */
export const BUDGET: Budget = { wallMs: 900_000, rounds: 5, tokens: 120_000 };

/** The investigators of these names, each once; the baseline if there is none. */
export function investigatorsNamed(
  names: readonly string[],
  settings: ModelSettings = {},
): Investigator[] {
  const chosen = names.length === 0 ? ["baseline"] : names;
  const all = chosen.map((name) => createInvestigator(name, settings));
  return [...new Map(all.map((one) => [one.name, one])).values()];
}

/** An investigator that answers over the Model Context Protocol on loopback, within `minutes`. */
export function mcpInvestigator(options: {
  /** 0 for a free port. */
  readonly port: number;
  readonly minutes: number;
}): Investigator {
  return createMcpInvestigator({ port: options.port, wallMs: options.minutes * 60_000 });
}
