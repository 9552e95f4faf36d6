/** Reads answers in tests. */
import type { Answer, SingleFaultAnswer } from "../answer.ts";

/** Returns the single-fault form of an answer with at most one fault. */
export function singleFormOf({ faults, ...rest }: Answer): SingleFaultAnswer {
  const [fault, second] = faults;
  if (second !== undefined) throw new TypeError("the answer names more than one fault");
  const nothing = { action: "no_action", target: null, parameters: {}, prose: "" } as const;
  return { ...rest, ...(fault ?? { culprit: null, fault_class: "none", remediation: nothing }) };
}
