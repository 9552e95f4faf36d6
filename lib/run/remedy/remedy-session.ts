/** Plans, executes, judges and exactly undoes remedies on one faulty lab. */
import type { MonotonicClock } from "../../base/clock.ts";
import { EnvironmentError } from "../../base/errors.ts";
import type { PrometheusClient } from "../../base/prometheus.ts";
import type { ServiceName } from "../../contract/topology.ts";
import type { Lab, ServiceState } from "../../lab/lab.ts";
import type { Verdicts } from "../../score/run-record.ts";
import type { Scenario } from "../../../scenarios/load.ts";
import type { Progress } from "../progress.ts";
import { within } from "../steps.ts";
import { type Done, judge, type Patience } from "./judge.ts";
import { type Aspects, aspectsOf, differencesOf, makeChange, planAct, putBack } from "./plan.ts";
import { type Act, describeAct } from "./read-remedy.ts";

export interface SessionOptions {
  readonly lab: Lab;
  readonly prometheus: PrometheusClient;
  readonly scenario: Scenario;
  /** All services in the healthy system. */
  readonly healthy: readonly Aspects[];
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly patience?: Patience | undefined;
  readonly clock?: MonotonicClock;
}

export class RemedySession {
  readonly #options: SessionOptions;
  /** All services just before the first remedy. */
  readonly before: readonly ServiceState[];
  readonly #done: Done[] = [];

  constructor(options: SessionOptions, before: readonly ServiceState[]) {
    this.#options = options;
    this.before = before;
  }

  static async begin(options: SessionOptions): Promise<RemedySession> {
    return new RemedySession(options, await servicesOf(options.lab));
  }

  /** The acts so far, with and without effect. */
  get done(): readonly Done[] {
    return this.#done;
  }

  /** Carries an act out as far as there is anything to change; returns what was done. */
  async apply(act: Act): Promise<string> {
    const { lab, prometheus, scenario, progress, signal } = this.#options;
    const { action, target } = act;
    const { change, said } =
      target === "host"
        ? { change: null, said: "the machine has no settings" }
        : planAct(act, aspectsOf(await lab.state(target)));
    const undoing = scenario.fault.remedied?.(action, target);
    const what = undoing === undefined ? said : `${said}; takes away ${scenario.fault.kind}`;
    progress.line(`remedy ${describeAct(act)}: ${what}`);
    const make = async (): Promise<void> => {
      if (change !== null && target !== "host") await makeChange(lab, target, change);
      await undoing?.({ lab, prometheus, signal, log: (line) => progress.line(line) });
    };
    await within(`carrying out ${describeAct(act)}`, scenario.deadlines.healMs, make, signal);
    this.#done.push({ act, change });
    return what;
  }

  /** The verdicts on the current system. */
  judge(): Promise<Verdicts> {
    const { patience, ...options } = this.#options;
    return judge({
      ...options,
      before: this.before,
      done: this.#done,
      ...(patience === undefined ? {} : { patience }),
    });
  }

  /** Restores every service to its state before the first remedy; throws if one differs. */
  async undo(): Promise<void> {
    const { lab, progress } = this.#options;
    for (const was of this.before) {
      if (differencesOf(was, await lab.state(was.service)).length > 0) await putBack(lab, was);
    }
    const left = await differencesFrom(lab, this.before);
    if (left.length > 0) throw new EnvironmentError(`Cannot undo the remedy: ${left.join("; ")}`);
    progress.line("undone: every service is as it was before the remedy");
    this.#done.length = 0;
  }
}

export async function servicesOf(lab: Lab): Promise<readonly ServiceState[]> {
  return (await lab.status())?.services ?? [];
}

async function differencesFrom(lab: Lab, before: readonly Aspects[]): Promise<string[]> {
  const now = new Map<ServiceName, ServiceState>(
    (await servicesOf(lab)).map((state) => [state.service, state]),
  );
  return before.flatMap((was) => {
    const is = now.get(was.service);
    return is === undefined ? [`${was.service} is gone`] : differencesOf(was, is);
  });
}
