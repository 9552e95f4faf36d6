/** The end of an investigation of a simulated incident, as counted by the bench. */
import type { InvestigationOutcome } from "../../investigator.ts";
import type { SimulatedIncident } from "../../testing/incidents.ts";

export interface Ending {
  readonly service: boolean;
  readonly right: boolean;
  /** Squared difference between the stated confidence and whether the diagnosis was right. */
  readonly brier: number;
  /** A text for the log. */
  readonly said: string;
}

/**
 * A failed agent states no confidence. It counts as wrong with full confidence, so that a failure
 * never improves the mean.
 */
const CONFIDENCE_OF_A_FAILURE = 1;

export function endingOf(
  outcome: InvestigationOutcome,
  expected: Pick<SimulatedIncident, "service" | "faultClass">,
): Ending {
  if (outcome.kind === "agent-failure") {
    const brier = CONFIDENCE_OF_A_FAILURE ** 2;
    return { service: false, right: false, brier, said: outcome.reason };
  }
  const { faults, confidence } = outcome.answer;
  const { culprit, fault_class } = faults[0] ?? { culprit: null, fault_class: "none" };
  const right = culprit === expected.service && fault_class === expected.faultClass;
  return {
    service: culprit === expected.service && fault_class !== "unknown",
    right,
    brier: (confidence - (right ? 1 : 0)) ** 2,
    said: right ? "right" : `wrong, ${culprit ?? "no service"} ${fault_class}`,
  };
}
