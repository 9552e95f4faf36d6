/** Investigators as a command names them. */
import { createMcpInvestigator } from "../investigate/external/mcp.ts";
import type { Budget, Investigator } from "../investigate/investigator.ts";
import { createInvestigator } from "../investigate/registry.ts";

export { checkOllama as checkModel } from "../investigate/ollama/check.ts";

/** What an investigation may cost; a local 7B model needs minutes. */
export const BUDGET: Budget = { wallMs: 900_000, rounds: 5, tokens: 120_000 };

/** The investigators of these names, each once; the baseline when there is no name. */
export function investigatorsNamed(names: readonly string[]): Investigator[] {
  return [...new Set(names.length === 0 ? ["baseline"] : names)].map(createInvestigator);
}

/** An investigator that answers over the Model Context Protocol on loopback, within `minutes`. */
export function mcpInvestigator(options: {
  /** 0 for a free port. */
  readonly port: number;
  readonly minutes: number;
}): Investigator {
  return createMcpInvestigator({ port: options.port, wallMs: options.minutes * 60_000 });
}
