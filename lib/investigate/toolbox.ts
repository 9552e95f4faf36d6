/**
 * The tools of one investigation for the built-in investigators: a call by name returns facts for
 * citations.
 */
import type { EvidenceRecord } from "../contract/answer.ts";
import { type Fact as RecordedFact, factsOf } from "../contract/citation.ts";
import { isServiceName, type ServiceName } from "../contract/topology.ts";
import type { InvestigationInput } from "./investigator.ts";
import { Toolset } from "./tools/toolset.ts";
import { withholding } from "./tools/withhold.ts";

/** One fact of a tool's answer, with a checked service. */
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
  /** Names of the tools, for the reply to an unknown name. */
  readonly names: readonly string[];
  /** Calls a tool. A failed call returns `ok` false and never throws. */
  call(tool: string, args: Readonly<Record<string, unknown>>): Promise<Call>;
  readonly records: readonly EvidenceRecord[];
}

/** Tools for one investigation. */
export function toolsetFor(input: InvestigationInput): Toolset {
  const { urls, signal, clock, actuator, withheld = [] } = input;
  return new Toolset({
    urls,
    ...(withheld.length === 0 ? {} : { get: withholding(withheld, urls) }),
    ...(signal === undefined ? {} : { signal }),
    ...(clock === undefined ? {} : { clock }),
    ...(actuator === undefined ? {} : { actuator }),
  });
}

/** The same tools with facts instead of records as results. */
export function toolboxOf(tools: Toolset): Toolbox {
  return {
    names: tools.names,
    records: tools.records,
    call: async (name, args) => callOf(await tools.call(name, args)),
  };
}

/** The facts of a record's answer; none in an answer of another shape. */
export function callOf(record: EvidenceRecord): Call {
  const facts = factsOf(record).map((fact) => ({
    ...fact,
    service: fact.service !== null && isServiceName(fact.service) ? fact.service : null,
  }));
  const error = record.ok ? null : record.answer;
  return { id: record.id, tool: record.tool, ok: record.ok, facts, error };
}
