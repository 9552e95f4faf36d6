/** The tools of one investigation, as the built-in investigators use them. */
import type { InvestigationInput } from "./investigator.ts";
import { callOf, type Toolbox } from "./ollama/toolbox.ts";
import { Toolset } from "./tools/toolset.ts";

/** Tools for one investigation. */
export function toolsetFor({ urls, signal }: InvestigationInput): Toolset {
  return new Toolset({ urls, ...(signal === undefined ? {} : { signal }) });
}

/** The same tools, answering by facts instead of by records. */
export function toolboxOf(tools: Toolset): Toolbox {
  return {
    names: tools.names,
    records: tools.records,
    call: async (name, args) => callOf(await tools.call(name, args)),
  };
}
