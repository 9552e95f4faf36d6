/**
 * One fault in one lab, from its injection to its end. In every ending of a run, `end()` stops the
 * fault completely: it heals the fault within a time limit, and revokes the fault's access to the
 * lab, so that a remaining loop cannot reach the next lab.
 */
import { CancelledError, messageOf } from "../base/errors.ts";
import type { FaultContext, Healer } from "../../scenarios/define.ts";
import type { Scenario } from "../../scenarios/load.ts";
import { within } from "./steps.ts";

export interface InjectionOptions {
  readonly scenario: Pick<Scenario, "fault" | "deadlines">;
  /** The fault's context; its signal is the run's. */
  readonly context: FaultContext & { readonly signal: AbortSignal };
  /** Takes one line of `cleanup.log`. */
  readonly cleanupLog: (line: string) => void;
}

export class Injection {
  /** The context for the fault and its probe. */
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
      // Methods of the lab use private fields, so they need the lab itself as `this`.
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

  /** Injects the fault; after the time limit, aborts the fault's signal. */
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
   * Stops the fault's own work, heals it unless that was tried before, and revokes its access to
   * the lab. Never throws; resolves to whether it has healed the fault.
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
