/** A conversation with a model that may call tools, whatever the server's wire format. */
import type { ToolDescription } from "../tools/toolset.ts";

/** A call that a model wants to make. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** Null when the model wrote no JSON object. */
  readonly arguments: Readonly<Record<string, unknown>> | null;
}

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string;
  /** The calls of an assistant's message. */
  readonly calls?: readonly ToolCall[];
  /** The call that a tool's message answers. */
  readonly answers?: ToolCall;
}

export interface ChatRequest {
  readonly messages: readonly ChatMessage[];
  /** Tools for native calls; empty without them. */
  readonly tools: readonly ToolDescription[];
  /** JSON schema that the server must enforce on the text; not together with tools. */
  readonly format?: object;
  /** Name of the only tool that the model must call now. */
  readonly mustCall?: string;
  readonly maxTokens: number;
  readonly attempt: number;
}

export interface ChatReply {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly doneReason: string;
}

/** Facts about a model from its server. */
export interface ChatFacts {
  /** Whether the model supports native tool calls; assumed when the server does not say. */
  readonly nativeTools: boolean;
  /** Whether `mustCall` has an effect. */
  readonly forcesCalls: boolean;
  /** Tokens that a prompt and its answer may have together. */
  readonly contextTokens: number;
  /** For the transcript. */
  readonly description: string;
}

export interface ChatModel {
  /** Looks the model up. Throws ModelFailure when it cannot be used. */
  open(): Promise<ChatFacts>;
  /**
   * Sends the conversation and returns the next message. Throws ModelFailure; its kind is
   * `unsupported` when the server refuses tools or schema.
   */
  say(request: ChatRequest): Promise<ChatReply>;
  /** Facts for the manifest. */
  details(): Promise<Readonly<Record<string, unknown>>>;
}
