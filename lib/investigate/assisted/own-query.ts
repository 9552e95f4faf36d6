/**
 * Lets the model write one query and runs it. The result, or the full error, is added to the case.
 */
import { asError } from "../../base/errors.ts";
import { harmless } from "../harmless.ts";
import type { Call } from "../toolbox.ts";
import type { CaseFile } from "./case-file.ts";
import { ModelFailure } from "../model/failure.ts";
import { QUERY_TOOLS, queryPrompt, QuerySchema } from "./prompt.ts";
import type { SessionOptions } from "./session-options.ts";

const MAX_TOKENS = 160;

/** The case that a query belongs to. */
export interface OpenCase {
  readonly system: string;
  readonly base: string;
  readonly file: CaseFile;
  /** Collects text for the model about its query. */
  readonly notes: string[];
}

/** Offers one query; throws ModelFailure only when the budget is spent. */
export async function offerQuery(
  { client, tools, input }: SessionOptions,
  { system, base, file, notes }: OpenCase,
): Promise<void> {
  try {
    const { tool, query } = await client.ask({
      name: "query",
      system,
      user: queryPrompt(base, QUERY_TOOLS),
      schema: QuerySchema,
      maxTokens: MAX_TOKENS,
    });
    if (tool === "none" || query.trim() === "") return;
    const call = await run({ tools, input }, tool, query, notes);
    if (call !== null) file.add(call);
  } catch (error) {
    // A model that cannot write a query can still choose.
    if (!(error instanceof ModelFailure) || error.kind === "budget") throw asError(error);
    input.transcript.note(`no query of its own: ${error.message}`);
  }
  input.transcript.note(`${tools.records.length} calls so far`);
}

async function run(
  { tools, input }: Pick<SessionOptions, "tools" | "input">,
  tool: string,
  query: string,
  notes: string[],
): Promise<Call | null> {
  if (!QUERY_TOOLS.some((name) => name === tool)) {
    const known = QUERY_TOOLS.join(", ");
    notes.push(`There is no tool ${harmless(tool)}; the tools are ${known}.`);
    input.transcript.note(`unknown tool ${JSON.stringify(tool)}`);
    return null;
  }
  const call = await tools.call(tool, { query });
  const said = call.ok ? `${call.facts.length} facts` : `failed: ${call.error ?? ""}`;
  input.transcript.note(`${call.id} ${tool} ${JSON.stringify(query)}: ${said}`);
  if (!call.ok) notes.push(`Your ${tool} query failed: ${(call.error ?? "").slice(0, 400)}`);
  else if (call.facts.length === 0) notes.push(`Your ${tool} query found nothing.`);
  return call;
}
