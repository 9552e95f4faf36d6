/** A conversation through the `ollama` client. */
import type { Message, Tool } from "ollama";
import type { ChatFacts, ChatMessage, ChatModel, ChatReply, ChatRequest } from "./chat.ts";
import { type ConnectionOptions, OllamaConnection } from "./connection.ts";
import { asObject } from "./text.ts";

export class OllamaChat implements ChatModel {
  readonly #settings: ConnectionOptions["settings"];
  readonly #connection: OllamaConnection;
  #calls = 0;

  constructor(options: ConnectionOptions) {
    this.#settings = options.settings;
    this.#connection = new OllamaConnection(options);
  }

  async open(): Promise<ChatFacts> {
    const facts = await this.#connection.facts();
    const { contextTokens } = this.#connection;
    return {
      nativeTools: facts.capabilities.includes("tools"),
      forcesCalls: false,
      contextTokens,
      description: `${this.#settings.model} ${facts.parameterSize} ${facts.quantization} on Ollama ${facts.serverVersion}, context ${contextTokens}`,
    };
  }

  async say({ messages, tools, format, maxTokens, attempt }: ChatRequest): Promise<ChatReply> {
    const said = await this.#connection.say({
      messages: messages.map(toOllama),
      ...(tools.length === 0 ? {} : { tools: tools.map(toolOf) }),
      ...(format === undefined ? {} : { format }),
      maxTokens,
      attempt,
    });
    return {
      ...said,
      calls: said.calls.map(({ name, arguments: args }) => ({
        id: `call_${++this.#calls}`,
        name,
        arguments: asObject(args),
      })),
    };
  }

  details(): Promise<Readonly<Record<string, unknown>>> {
    return this.#connection.details();
  }
}

function toOllama({ role, content, calls = [], answers }: ChatMessage): Message {
  return {
    role,
    content,
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map(({ name, arguments: args }) => ({
            function: { name, arguments: { ...args } },
          })),
        }),
    ...(answers === undefined ? {} : { tool_name: answers.name }),
  };
}

const toolOf = ({ name, description, parameters }: ChatRequest["tools"][number]): Tool => ({
  type: "function",
  function: { name, description, parameters: parameters as object },
});
