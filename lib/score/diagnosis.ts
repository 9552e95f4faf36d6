/** Compares the faults of an answer with the true ones. Pure. */
import { type Answer, isAbstention, type NamedFault } from "../contract/answer.ts";
import type { TrueFault, Truth } from "../truth/truth.ts";

/** The score of an answer's faults. */
export interface Diagnosis {
  /**
   * 0 when a fault is missed, else the share of right ones among the named faults; without a true
   * fault, 1 for naming none.
   */
  readonly share: number;
  /** The answer names every fault and nothing else. */
  readonly correct: boolean;
  /** The answer names only `unknown`. */
  readonly abstained: boolean;
  /** The culprits are right; classes do not matter. */
  readonly component: boolean;
  /** The classes are right; culprits do not matter. */
  readonly faultClass: boolean;
  /** For every fault, the answer names its culprit and a suitable remedy. */
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

/** The maximum number of true faults that can be paired with distinct named ones. */
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

/** The right answers for a fault: itself, and those that telemetry cannot distinguish from it. */
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
/** For a fault of a link, a remedy at either end is right if it is right for that end. */
const isRemedy: Accepts = (truth, named) =>
  isCulprit(truth, named) &&
  truth.remediation.actions.includes(named.remediation.action) &&
  (named.remediation.target === truth.remediation.target ||
    (named.culprit !== truth.culprit && named.remediation.target === named.culprit));
