/** The tools as the agent uses them: a call by name, answered by facts that can be cited. */
import type { EvidenceRecord } from "../../contract/answer.ts";
import { isServiceName, type ServiceName } from "../../contract/topology.ts";

/** One thing that a tool's answer says. */
export interface Fact {
  readonly signal: string;
  readonly service: ServiceName | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | string;
  /** The time or the span that the value is of: `before`, `during`, `now`, an instant. */
  readonly when: string;
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

/** Reads the facts out of a record's answer; an answer of another shape has none. */
export function callOf(record: EvidenceRecord): Call {
  const facts = record.ok ? factsOf(record.answer) : [];
  const error = record.ok ? null : record.answer;
  return { id: record.id, tool: record.tool, ok: record.ok, facts, error };
}

function factsOf(answer: string): Fact[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(answer);
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
  const facts = (parsed as { facts?: unknown } | null)?.facts;
  return Array.isArray(facts) ? facts.flatMap(factOf) : [];
}

function factOf(raw: unknown): Fact[] {
  const fact = raw as Record<string, unknown> | null;
  const { signal, service, labels, value, when } = fact ?? {};
  if (typeof signal !== "string") return [];
  if (typeof value !== "number" && typeof value !== "string") return [];
  return [
    {
      signal,
      service: typeof service === "string" && isServiceName(service) ? service : null,
      labels: stringsOf(labels),
      value,
      when: typeof when === "string" ? when : "",
    },
  ];
}

function stringsOf(labels: unknown): Record<string, string> {
  if (labels === null || typeof labels !== "object") return {};
  const entries = Object.entries(labels).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return Object.fromEntries(entries);
}
