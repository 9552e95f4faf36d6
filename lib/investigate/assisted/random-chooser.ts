/**
 * Chance answers the questions: every choice from a list is drawn with the examination's seed, and
 * no text is written. It shows what the rules are worth without a model.
 */
import { z } from "zod";
import { createPrng, type Prng } from "../../base/prng.ts";
import { asObject } from "../model/text.ts";
import type { Question } from "../model/client.ts";
import { CONTEXT_TOKENS } from "../model/settings.ts";
import { estimateTokens } from "../model/text.ts";
import type { Chooser } from "./chooser.ts";

export class RandomChooser implements Chooser {
  readonly #prng: Prng;

  constructor(seed: number) {
    this.#prng = createPrng(seed).child("assisted");
  }

  open(): Promise<string> {
    return Promise.resolve("chance chooses");
  }

  async ask<T>({ schema }: Question<T>): Promise<T> {
    return Promise.resolve(schema.parse(this.#draw(z.toJSONSchema(schema, { io: "input" }))));
  }

  roomFor(system: string, maxTokens: number): number {
    return Math.max(0, CONTEXT_TOKENS - maxTokens - estimateTokens(system));
  }

  details(): Promise<Record<string, unknown>> {
    return Promise.resolve({ model: "random" });
  }

  /** A value of a schema: objects by property, one of a list, nothing else. */
  #draw(schema: unknown): unknown {
    const { type, properties, enum: values } = asObject(schema) ?? {};
    if (Array.isArray(values)) return values[Math.floor(this.#prng.next() * values.length)];
    if (type === "array") return [];
    if (type === "string") return "";
    const named = Object.entries(asObject(properties) ?? {});
    return Object.fromEntries(named.map(([name, one]) => [name, this.#draw(one)]));
  }
}
