/**
 * Nothing is wrong: what the absence of every other class entails, and that no alert fires any
 * more.
 */
import { supports } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";

export const fault: Fault = {
  entails: (others) => [
    ...others.flatMap(({ absent }) => (absent === undefined ? [] : [absent])),
    supports({
      claim: "no alert fires",
      signal: "ALERTS",
      promql: 'count(ALERTS{alertstate="firing"}) or vector(0)',
      holds: { op: "==", value: 0 },
    }),
  ],
  states: ["working"],
  words: /false positive|no (issue|fault|problem|anomal)|spurious|already (over|resolved)/i,
};
