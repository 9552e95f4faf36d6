/**
 * Messages in time with wrong content. Telemetry alone does not tell it from other classes: no
 * claim is its own.
 */
import type { Fault } from "../hypotheses/fault.ts";
import { answersScrapes, running } from "../hypotheses/shared-claims.ts";

export const fault: Fault = {
  entails: [running, answersScrapes],
  states: ["working"],
  words: /data quality|corrupt(ed)? data|invalid data/i,
};
