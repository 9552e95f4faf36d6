/**
 * A wrong setting that no other class names. Telemetry alone does not tell it from other classes:
 * no claim is its own.
 */
import type { Fault } from "../hypotheses/fault.ts";
import { answersScrapes, running } from "../hypotheses/shared-claims.ts";

export const fault: Fault = {
  entails: [running, answersScrapes],
  states: ["working", "mute"],
  words: /misconfigur|configuration (error|change|issue)|(bad|wrong) (setting|configuration)/i,
};
