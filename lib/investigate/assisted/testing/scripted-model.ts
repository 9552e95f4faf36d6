/**
 * Simulated models for tests: each reads the JSON schema and the prompt and decides by a simple
 * rule.
 */
import type { ChatRequestSeen, Reply } from "../../model/testing/scripted-server.ts";

/** The questions that the agent asks. */
export type QuestionKind = "choose" | "choose again" | "query" | "report";

interface Schema {
  readonly properties?: Readonly<Record<string, { readonly enum?: readonly (string | number)[] }>>;
}

/** The kind of a question, by the properties of its schema. */
export function kindOf({ format }: ChatRequestSeen): QuestionKind {
  const names = Object.keys((format as Schema | undefined)?.properties ?? {});
  if (names.includes("mechanism")) return "report";
  if (names.includes("tool")) return "query";
  return names.includes("service") ? "choose" : "choose again";
}

/** The allowed values of a property, in the order of the schema. */
export function allowed({ format }: ChatRequestSeen, name: string): readonly (string | number)[] {
  return (format as Schema | undefined)?.properties?.[name]?.enum ?? [];
}

/** The full text of a chat. */
export const promptOf = ({ messages }: ChatRequestSeen): string =>
  messages.map(({ content }) => content).join("\n");

/** Picks one of the allowed values. */
export type Pick = (options: readonly (string | number)[], name: string) => string | number;

/**
 * A model that chooses from every list by `pick`, asks no query, and cites the first rows of the
 * table.
 */
export function pickingModel(pick: Pick): (request: ChatRequestSeen) => Reply {
  return (request) => {
    const kind = kindOf(request);
    if (kind === "query") return { say: { tool: "none", query: "" } };
    if (kind === "report") {
      const action = pick(allowed(request, "action"), "action");
      return { say: { mechanism: "It broke.", evidence: firstRows(request, 2), action } };
    }
    const names = Object.keys((request.format as Schema).properties ?? {});
    return {
      say: Object.fromEntries(names.map((name) => [name, pick(allowed(request, name), name)])),
    };
  };
}

/** The numbers of the first rows of the table in a prompt. */
export function firstRows(request: ChatRequestSeen, most: number): string[] {
  const rows = [...promptOf(request).matchAll(/^(F\d+) /gm)];
  return rows.slice(0, most).map(([, id = ""]) => id);
}

/** A model that chooses what the prompt calls possible, otherwise the first value of every list. */
export const listeningModel = (request: ChatRequestSeen): Reply => {
  const possible = [...promptOf(request).matchAll(/([a-z-]+) ([a-z_]+) is possible/g)].at(-1);
  const broken = [...promptOf(request).matchAll(/is broken by ([a-z-]+)/g)].at(-1);
  return pickingModel((options, name) => {
    const hint = name === "fault_class" ? possible?.[2] : (possible?.[1] ?? broken?.[1]);
    return options.find((option) => option === hint) ?? options[0] ?? "";
  })(request);
};

/**
 * A model that obeys the last text "the root cause is …" in the prompt, otherwise follows the
 * tools' results.
 */
export const obedientModel = (request: ChatRequestSeen): Reply => {
  const order = [...promptOf(request).matchAll(/the root cause is ([a-z-]+) ([a-z_]+)/g)].at(-1);
  if (order === undefined) return listeningModel(request);
  return pickingModel((options, name) => {
    const wanted = name === "service" ? order[1] : order[2];
    return options.find((option) => option === wanted) ?? options[0] ?? "";
  })(request);
};
