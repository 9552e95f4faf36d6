/**
 * An investigator's own actions in a live lab: limited by its tool, judged after its end, and
 * undone.
 */
import type { Remedy } from "../../contract/answer.ts";
import { REMEDIATIONS } from "../../contract/fault-classes.ts";
import type { Actuator } from "../../investigate/investigator.ts";
import type { Repair } from "../../score/run-record.ts";
import { isRepaired } from "./judge.ts";
import { type Act, describeAct, readRemedy } from "./read-remedy.ts";
import { RemedySession, type SessionOptions } from "./remedy-session.ts";

export class LiveRemedies implements Actuator {
  readonly #session: RemedySession;
  /** Actions are executed one at a time for all callers. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(session: RemedySession) {
    this.#session = session;
  }

  static async begin(options: SessionOptions): Promise<LiveRemedies> {
    return new LiveRemedies(await RemedySession.begin(options));
  }

  preview(remedy: Remedy): string {
    return inWords(actOf(remedy));
  }

  async apply(remedy: Remedy): Promise<string> {
    const act = actOf(remedy);
    const step = this.#last.then(() => this.#session.apply(act));
    this.#last = step.catch(() => undefined);
    await step;
    return `carried out: ${inWords(act)}`;
  }

  /** Judges the system after the actions and undoes them; undefined without actions. */
  async settle(): Promise<Repair | undefined> {
    await this.#last;
    const acts = this.#session.done.map(({ act }) => describeAct(act));
    if (acts.length === 0) return undefined;
    const verdicts = await this.#session.judge();
    await this.#session.undo();
    return { repaired: isRepaired(verdicts), acts, refused: [], verdicts, execution: null };
  }
}

function actOf(remedy: Remedy): Act {
  const read = readRemedy(remedy);
  if (read.kind === "nothing") throw new RangeError(read.why);
  return read.act;
}

const inWords = (act: Act): string => `${REMEDIATIONS[act.action]} (${describeAct(act)})`;
