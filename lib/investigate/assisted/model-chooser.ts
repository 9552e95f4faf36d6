/** A model on Ollama answers the questions. */
import { type ConnectionOptions } from "../model/connection.ts";
import { ModelClient, type Question } from "../model/client.ts";
import type { Chooser } from "./chooser.ts";

export class ModelChooser implements Chooser {
  readonly #settings: ConnectionOptions["settings"];
  readonly #client: ModelClient;

  constructor(options: ConnectionOptions) {
    this.#settings = options.settings;
    this.#client = new ModelClient(options);
  }

  async open(): Promise<string> {
    const { model, contextTokens } = this.#settings;
    const facts = await this.#client.facts();
    const trained = facts.trainedContextTokens ?? "unknown";
    return `${model} ${facts.parameterSize} ${facts.quantization} on Ollama ${facts.serverVersion}, context ${contextTokens} of ${trained}`;
  }

  ask<T>(question: Question<T>): Promise<T> {
    return this.#client.ask(question);
  }

  roomFor(system: string, maxTokens: number): number {
    return this.#client.roomFor(system, maxTokens);
  }

  async details(): Promise<Record<string, unknown>> {
    const { host, model, contextTokens } = this.#settings;
    const asked = { host, model, num_ctx: contextTokens };
    const facts = this.#client.knownFacts;
    if (facts === undefined) return asked;
    return {
      ...asked,
      ...facts,
      effective_context_tokens: await this.#client.loadedContextTokens(),
      structured_output: this.#client.structuredOutput,
    };
  }
}
