/** The budget of an investigation and what it has used. */
import type { InvestigationCost } from "../../contract/answer.ts";
import type { Budget } from "../investigator.ts";
import { ModelFailure } from "./failure.ts";

/** One attempt at one model call. */
export interface ModelUse {
  readonly modelMs: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** Minimum number of tokens for a call to a model. */
const MIN_TOKENS = 32;

/** Counts the time and tokens of one investigation. */
export class Spending {
  readonly #budget: Budget;
  readonly #started = performance.now();
  #modelMs = 0;
  #modelCalls = 0;
  #promptTokens = 0;
  #completionTokens = 0;
  #rounds = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  get rounds(): number {
    return this.#rounds;
  }

  /** Begins a round; false when the budget allows no further one. */
  beginRound(): boolean {
    if (this.#rounds >= this.#budget.rounds) return false;
    this.#rounds++;
    return true;
  }

  /** Milliseconds left, 0 when there are none. */
  msLeft(): number {
    return Math.max(0, this.#budget.wallMs - (performance.now() - this.#started));
  }

  /** Tokens left for reading and writing together, 0 when there are none. */
  tokensLeft(): number {
    return Math.max(0, this.#budget.tokens - this.#promptTokens - this.#completionTokens);
  }

  /** Returns the milliseconds left for a model call; throws ModelFailure when nothing is left. */
  requireRoom(): number {
    const ms = this.msLeft();
    if (ms <= 0) {
      throw new ModelFailure(
        "budget",
        `the ${this.#budget.wallMs} ms of the investigation are over`,
      );
    }
    if (this.tokensLeft() < MIN_TOKENS) {
      throw new ModelFailure(
        "budget",
        `${this.tokensLeft()} of ${this.#budget.tokens} tokens are left`,
      );
    }
    return ms;
  }

  add(use: ModelUse): void {
    this.#modelCalls++;
    this.#modelMs += use.modelMs;
    this.#promptTokens += use.promptTokens;
    this.#completionTokens += use.completionTokens;
  }

  /** The cost so far; the caller passes the number of tool calls. */
  cost(toolCalls: number): InvestigationCost {
    return {
      wallMs: performance.now() - this.#started,
      modelMs: this.#modelMs,
      rounds: this.#rounds,
      toolCalls,
      modelCalls: this.#modelCalls,
      promptTokens: this.#promptTokens,
      completionTokens: this.#completionTokens,
    };
  }
}
