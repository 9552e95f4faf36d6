/** The tools of one investigation, as the built-in investigators use them: a call by name, answered by facts that can be cited. */
import type { EvidenceRecord } from "../contract/answer.ts";
import { type Fact as RecordedFact, factsOf } from "../contract/citation.ts";
import { isServiceName, type ServiceName } from "../contract/topology.ts";
import type { InvestigationInput } from "./investigator.ts";
import { Toolset } from "./tools/toolset.ts";

/** One thing that a tool's answer says, with the service checked. */
export interface Fact extends Readonly<Omit<RecordedFact, "service">> {
  readonly service: ServiceName | null;
}

/** One answered call. */
export interface Call {
  readonly id: string;
  readonly tool: string;
  readonly ok: boolean;
  readonly facts: readonly Fact[];
  /** The full error when the call failed. */
  readonly error: string | null;
}

export interface Toolbox {
  /** Names of the tools, for a model that names one that does not exist. */
  readonly names: readonly string[];
  /** Calls a tool; a failed call is an answer (`ok` false), never an exception. */
  call(tool: string, args: Readonly<Record<string, unknown>>): Promise<Call>;
  readonly records: readonly EvidenceRecord[];
}

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

/** Reads the facts out of a record's answer; an answer of another shape has none. */
export function callOf(record: EvidenceRecord): Call {
  const facts = factsOf(record).map((fact) => ({
    ...fact,
    service: fact.service !== null && isServiceName(fact.service) ? fact.service : null,
  }));
  const error = record.ok ? null : record.answer;
  return { id: record.id, tool: record.tool, ok: record.ok, facts, error };
}
