/**
 * A Worker that blocks until topic Readings has samples, and ends after the number of samples in
 * its task.
 */
import { workerData } from "node:worker_threads";
import { createParticipant } from "../mod.ts";
import { Reading } from "./reading.ts";

/** Type of `workerData`. */
export interface WaiterTask {
  readonly domainId: number;
  readonly samples: number;
  /** Number of samples taken so far; shared with the parent. */
  readonly taken: Int32Array;
}

const MAX_SILENCE_MS = 20_000;
const { domainId, samples, taken } = workerData as WaiterTask;
const participant = createParticipant({ domainId });
const topic = participant.topic("Readings", Reading, {
  reliability: "RELIABLE",
  history: { kind: "KEEP_ALL" },
});
for (const { info } of participant.reader(topic).wait(MAX_SILENCE_MS)) {
  if (info.valid && Atomics.add(taken, 0, 1) + 1 === samples) break;
}
participant.close();
