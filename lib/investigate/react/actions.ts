/** Reads from a model's message which tools it wants to call. */
import type { ChatReply, ToolCall } from "../model/chat.ts";
import { asObject, findJsonObject, withoutThoughts } from "../model/text.ts";

/**
 * The calls of a reply: native ones, else a JSON object in the text. Models write the latter with
 * several field names, also models with native calls.
 */
export function callsOf(reply: ChatReply): readonly ToolCall[] {
  if (reply.calls.length > 0) return reply.calls;
  const said = findJsonObject(withoutThoughts(reply.text));
  if (said === undefined) return [];
  const inner = asObject(said["function"]) ?? said;
  const name = [inner["tool"], inner["name"], inner["action"]].find(isText);
  if (name === undefined) return [];
  const args = [inner["arguments"], inner["parameters"], inner["args"], inner["input"]];
  const found = args.find((one) => one !== undefined);
  const read = isText(found) ? (findJsonObject(found) ?? null) : asObject(found ?? {});
  return [{ id: "text", name, arguments: read }];
}

/** An answer in the text without the call that submits it. */
export function bareAnswerIn(reply: ChatReply): Record<string, unknown> | undefined {
  const said = findJsonObject(withoutThoughts(reply.text));
  const isAnswer = said !== undefined && ("fault_class" in said || "faults" in said);
  return isAnswer ? said : undefined;
}

const isText = (value: unknown): value is string => typeof value === "string";
