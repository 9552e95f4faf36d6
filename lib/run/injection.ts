/**
 * One fault in one lab, from its injection to its end. However a run ends, `end()` leaves nothing
 * of the fault at work: it heals what was injected, within a time limit, and takes the lab away
 * from the fault, so that a loop that goes on cannot reach the lab that is started next.
 */
import { CancelledError, messageOf } from "../base/errors.ts";
import type { FaultContext, Healer } from "../../scenarios/define.ts";
import type { Scenario } from "../../scenarios/load.ts";
import { within } from "./steps.ts";

export interface InjectionOptions {
  readonly scenario: Pick<Scenario, "fault" | "deadlines">;
  /** What the fault works on; its signal is the run's. */
  readonly context: FaultContext & { readonly signal: AbortSignal };
  /** Takes one line of `cleanup.log`. */
  readonly cleanupLog: (line: string) => void;
}

export class Injection {
  /** What the fault gets, for its probe too. */
  readonly context: FaultContext;
  readonly #options: InjectionOptions;
  readonly #ended = new AbortController();
  readonly #revokeLab: () => void;
  #injecting: Promise<Healer> | undefined;
  #isHealTried = false;

  constructor(options: InjectionOptions) {
    this.#options = options;
    const { lab, signal } = options.context;
    const { proxy, revoke } = Proxy.revocable(lab, {
      // A method of the lab reaches private fields, so it needs the lab itself as `this`.
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    this.#revokeLab = revoke;
    this.context = {
      ...options.context,
      lab: proxy,
      signal: AbortSignal.any([signal, this.#ended.signal]),
    };
  }

  /** Injects the fault; when that takes too long, the fault's signal aborts. */
  async inject(): Promise<void> {
    const { fault, deadlines } = this.#options.scenario;
    this.#injecting = injectInto(fault, this.context);
    try {
      const change = this.#injecting;
      const { signal } = this.#options.context;
      await within(`injecting ${fault.kind}`, deadlines.injectMs, () => change, signal);
    } catch (error) {
      this.#ended.abort(error);
      throw error;
    }
  }

  /** Heals the fault; throws DeadlineError when that takes too long. */
  async heal(): Promise<void> {
    const { scenario, cleanupLog } = this.#options;
    if (this.#injecting === undefined) throw new Error("Nothing was injected that could be healed");
    this.#isHealTried = true;
    const injecting = this.#injecting;
    await within(`healing ${scenario.fault.kind}`, scenario.deadlines.healMs, async () => {
      const healer = await injecting;
      await healer(cleanupLog);
    });
  }

  /**
   * Ends the fault's work on its own, heals it unless that was tried before, and takes the lab away
   * from it. Never throws; resolves to true when it has healed the fault.
   */
  async end(): Promise<boolean> {
    this.#ended.abort(new CancelledError("The run has ended"));
    try {
      if (this.#injecting === undefined || this.#isHealTried) return false;
      await this.heal();
      return true;
    } catch (error) {
      this.#options.cleanupLog(`not healed: ${messageOf(error)}`);
      return false;
    } finally {
      this.#revokeLab();
    }
  }
}

async function injectInto(fault: Scenario["fault"], context: FaultContext): Promise<Healer> {
  const healer: unknown = await fault.inject(context);
  if (typeof healer !== "function") {
    throw new TypeError(
      `Fault ${fault.kind} must return its healer, but returned ${typeof healer}`,
    );
  }
  return healer as Healer;
}
