/**
 * A program that ends while samples arrive. Run: ender.ts <domain> <way>; CYCLONEDDS_URI configures
 * it. The ways are below. It prints `ending` just before, and ends after a minute in any case.
 */
import { Worker } from "node:worker_threads";
import { createParticipant } from "../mod.ts";
import { Reading } from "./reading.ts";
import type { WorkerTask } from "./worker.ts";

const [, , domain, way = ""] = process.argv;
const participant = createParticipant({ domainId: Number(domain) });
const reader = participant.reader(participant.topic("Readings", Reading));

const WAYS: Readonly<Record<string, () => void>> = {
  "exits in a callback": () => process.exit(3),
  "exits without handlers": () => process.reallyExit(3),
  "throws in a callback": () => {
    throw new Error("on purpose");
  },
  "rejects in a callback": () => void Promise.reject(new Error("on purpose")),
  "reads on while it exits": () => {
    process.on("exit", () => {
      const endMs = performance.now() + 50;
      while (performance.now() < endMs) reader.take(() => {});
    });
    process.exit(3);
  },
  "closes and has nothing left to do": () => participant.close(),
  "is interrupted": () => process.kill(process.pid, "SIGINT"),
  "exits while a worker reads": () => {
    const taken = new Int32Array(new SharedArrayBuffer(4));
    const workerData: WorkerTask = { domainId: Number(domain), end: "never", taken };
    const worker = new Worker(new URL("worker.ts", import.meta.url), { workerData });
    worker.unref();
    setInterval(() => Atomics.load(taken, 0) > 1000 && process.exit(3), 1);
  },
};

let taken = 0;
let isEnding = false;
reader.onData(() => {
  taken += reader.take(() => {});
  if (taken < 100 || isEnding) return;
  isEnding = true;
  process.stdout.write("ending\n");
  WAYS[way]?.();
});
setTimeout(() => process.exit(9), 60_000).unref();
