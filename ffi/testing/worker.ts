/**
 * A Worker that reads topic Readings with many readers. If its task says so, it ends after samples
 * have arrived.
 */
import { workerData } from "node:worker_threads";
import { createParticipant } from "../mod.ts";
import { Reading } from "./reading.ts";

/** Type of `workerData`. */
export interface WorkerTask {
  readonly domainId: number;
  readonly end: "exit" | "throw" | "close" | "never";
  /** Number of samples taken so far; shared with the parent. */
  readonly taken: Int32Array;
}

const READERS = 20;
const { domainId, end, taken } = workerData as WorkerTask;
const participant = createParticipant({ domainId });
const topic = participant.topic("Readings", Reading);
for (let i = 0; i < READERS; i++) {
  const reader = participant.reader(topic);
  reader.onData(() => {
    Atomics.add(
      taken,
      0,
      reader.take(() => {}),
    );
    if (Atomics.load(taken, 0) < 1000) return;
    if (end === "exit") process.exit(3);
    if (end === "close") participant.close();
    if (end === "throw") throw new Error("on purpose");
  });
}
