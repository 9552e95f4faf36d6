/** A host with a wrong clock: its readers refuse its messages because of their time. */
import { must } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";
import { answersScrapes, refusedFor, running } from "../hypotheses/shared-claims.ts";
import { isMuteOrSlow } from "./slow-publisher.ts";

export const fault: Fault = {
  entails: [
    running,
    answersScrapes,
    must(refusedFor("in_the_future|too_old", "times that make no sense")),
    isMuteOrSlow,
  ],
  states: ["working", "mute"],
  words: /clock (skew|drift)/i,
};
