/**
 * A Worker that receives `workerData` messages with a blocking reader, and posts their latencies.
 */
import { parentPort, workerData } from "node:worker_threads";
import { createParticipant } from "../../../ffi/mod.ts";
import { Latencies } from "./latency.ts";
import { trackReader } from "./tracks.ts";

const MAX_SILENCE_MS = 60_000;
const latencies = new Latencies(workerData as number);
using participant = createParticipant();
for (const { value } of trackReader(participant).wait(MAX_SILENCE_MS)) {
  latencies.note(value.observed_unix_ms);
  if (latencies.isComplete) break;
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a Worker has no origin
parentPort?.postMessage(latencies.figures());
