/** `random`: a random culprit, class and remedy of the class, from the examination's seed. */
import { createPrng } from "../../base/prng.ts";
import { FAULT_CLASS_NAMES, FAULT_CLASSES } from "../../contract/fault-classes.ts";
import { CULPRITS } from "../../contract/answer.ts";
import { createFloor, type Guess } from "./floor.ts";

/** The possible diagnoses: every class but `none` for every culprit, and `none`. */
const DIAGNOSES = (FAULT_CLASS_NAMES.length - 1) * CULPRITS.length + 1;

export const random = createFloor("random", ({ seed }) => guessFrom(seed));

function guessFrom(seed: number): Guess {
  const prng = createPrng(seed).child("random");
  const oneOf = <T>(values: readonly [T, ...T[]] | readonly T[]): T =>
    values[Math.floor(prng.next() * values.length)] as T;
  const faultClass = oneOf(FAULT_CLASS_NAMES);
  return {
    culprit: faultClass === "none" ? null : oneOf(CULPRITS),
    faultClass,
    action: oneOf(FAULT_CLASSES[faultClass].remedies),
    mechanism: "Chosen by chance.",
    confidence: Math.round(1000 / DIAGNOSES) / 1000,
  };
}
