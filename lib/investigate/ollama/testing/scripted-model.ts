/** Stand-ins for models: each reads the question as a model does, from its JSON schema and prompt, and decides by simple means. For tests. */
import type { ChatRequestSeen, Reply } from "./scripted-server.ts";

/** The questions that the agent asks. */
export type QuestionKind = "choose" | "choose again" | "query" | "report";

interface Schema {
  readonly properties?: Readonly<Record<string, { readonly enum?: readonly (string | number)[] }>>;
}

/** Which question a chat is, by what the answer has to hold. */
export function kindOf({ format }: ChatRequestSeen): QuestionKind {
  const names = Object.keys((format as Schema | undefined)?.properties ?? {});
  if (names.includes("mechanism")) return "report";
  if (names.includes("tool")) return "query";
  return names.includes("service") ? "choose" : "choose again";
}

/** What may be said for a property, in the order of the schema. */
export function allowed({ format }: ChatRequestSeen, name: string): readonly (string | number)[] {
  return (format as Schema | undefined)?.properties?.[name]?.enum ?? [];
}

/** All that a chat shows the model. */
export const promptOf = ({ messages }: ChatRequestSeen): string =>
  messages.map(({ content }) => content).join("\n");

/** Picks one of what is allowed. */
export type Pick = (options: readonly (string | number)[], name: string) => string | number;

/** A model that fills in every list by `pick`, asks no query, and cites the table's first rows as they are shown. */
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

/** A model that follows what the tools told it is possible, and otherwise takes the first of every list. */
export const listeningModel = (request: ChatRequestSeen): Reply => {
  const possible = [...promptOf(request).matchAll(/([a-z-]+) ([a-z_]+) is possible/g)].at(-1);
  const broken = [...promptOf(request).matchAll(/is broken by ([a-z-]+)/g)].at(-1);
  return pickingModel((options, name) => {
    const hint = name === "fault_class" ? possible?.[2] : (possible?.[1] ?? broken?.[1]);
    return options.find((option) => option === hint) ?? options[0] ?? "";
  })(request);
};

/** A model that does what the last text that says "the root cause is …" tells it, and otherwise listens to the tools. */
export const obedientModel = (request: ChatRequestSeen): Reply => {
  const order = [...promptOf(request).matchAll(/the root cause is ([a-z-]+) ([a-z_]+)/g)].at(-1);
  if (order === undefined) return listeningModel(request);
  return pickingModel((options, name) => {
    const wanted = name === "service" ? order[1] : order[2];
    return options.find((option) => option === wanted) ?? options[0] ?? "";
  })(request);
};
