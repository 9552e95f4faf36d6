/** Compares the faults that an answer names with those that were there. Pure. */
import { type Answer, isAbstention, type NamedFault } from "../contract/answer.ts";
import type { TrueFault, Truth } from "../truth/truth.ts";

/** What an answer's faults are worth. */
export interface Diagnosis {
  /**
   * 0 when a fault is missed, else the share of the named faults that is right; without a fault, 1
   * for naming none.
   */
  readonly share: number;
  /** Every fault is named and nothing else. */
  readonly correct: boolean;
  /** The answer names only `unknown`. */
  readonly abstained: boolean;
  /** The culprits are right, whatever the classes. */
  readonly component: boolean;
  /** The classes are right, whatever the culprits. */
  readonly faultClass: boolean;
  /** Every fault has its culprit named and a remedy that fits. */
  readonly remediation: boolean;
}

type Accepts = (truth: TrueFault, named: NamedFault) => boolean;

export function diagnosisOf({ faults: named }: Answer, { faults }: Truth): Diagnosis {
  const found = pairs(faults, named, isRight);
  const isMissed = found < faults.length;
  const exactly = (accepts: Accepts): boolean =>
    faults.length === named.length && pairs(faults, named, accepts) === faults.length;
  const share = isMissed ? 0 : named.length === 0 ? 1 : found / named.length;
  return {
    share,
    correct: share === 1,
    abstained: isAbstention(named),
    component: exactly(isCulprit),
    faultClass: exactly(isClass),
    remediation: exactly(isRemedy),
  };
}

/** The maximum number of faults that can be paired, each with a named one of its own. */
function pairs(
  faults: readonly TrueFault[],
  named: readonly NamedFault[],
  accepts: Accepts,
): number {
  const [fault, ...rest] = faults;
  if (fault === undefined) return 0;
  const paired = named.flatMap((each, i) =>
    accepts(fault, each) ? [1 + pairs(rest, named.toSpliced(i, 1), accepts)] : [],
  );
  return Math.max(pairs(rest, named, accepts), ...paired);
}

/** The answers that are right for a fault: its own, and those that telemetry cannot tell apart. */
function acceptedFor(fault: TrueFault): { culprit: string; fault_class: string }[] {
  const { culprit, fault_class, other_end, also_accept } = fault;
  const ends = other_end === undefined ? [culprit] : [culprit, other_end];
  return [{ fault_class }, ...also_accept].flatMap((also) => {
    const named = "culprit" in also && also.culprit !== undefined ? [also.culprit] : ends;
    return named.map((each) => ({ culprit: each, fault_class: also.fault_class ?? fault_class }));
  });
}

const isRight: Accepts = (truth, named) =>
  acceptedFor(truth).some(
    ({ culprit, fault_class }) => culprit === named.culprit && fault_class === named.fault_class,
  );
const isCulprit: Accepts = (truth, { culprit }) =>
  acceptedFor(truth).some((accepted) => accepted.culprit === culprit);
const isClass: Accepts = (truth, { fault_class }) =>
  acceptedFor(truth).some((accepted) => accepted.fault_class === fault_class);
/** The remedy of either end of a link is one for its own end. */
const isRemedy: Accepts = (truth, named) =>
  isCulprit(truth, named) &&
  truth.remediation.actions.includes(named.remediation.action) &&
  (named.remediation.target === truth.remediation.target ||
    (named.culprit !== truth.culprit && named.remediation.target === named.culprit));
