/**
 * Makes random choices: draws from every list with the examination's seed, and writes no text. It
 * shows the value of the rules without a model.
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

  /** A random value of a schema: an object, or a value of a list. */
  #draw(schema: unknown): unknown {
    const { type, properties, enum: values } = asObject(schema) ?? {};
    if (Array.isArray(values)) return values[Math.floor(this.#prng.next() * values.length)];
    if (type === "array") return [];
    if (type === "string") return "";
    const named = Object.entries(asObject(properties) ?? {});
    return Object.fromEntries(named.map(([name, one]) => [name, this.#draw(one)]));
  }
}
