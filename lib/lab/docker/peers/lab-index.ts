/** The lab of the tests on a real engine: TEST_DOCKER_LAB, or the first one. */
import { integerBetween, processEnv, readEnv } from "../../../base/env.ts";

export const LAB_INDEX = readEnv(
  processEnv(),
  "TEST_DOCKER_LAB",
  0,
  integerBetween(0, 9, "a lab's index"),
);
