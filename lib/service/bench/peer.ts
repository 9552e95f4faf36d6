/**
 * The JavaScript side of the benchmark; main.ts describes the modes.
 *
 *   bun peer.ts allocation N | steps N
 *   bun peer.ts write N | pulse N
 *   bun peer.ts view N | object N | hear N | hear-waiting N | steady N | soak N
 *   bun peer.ts send-text N SIZE | send-numbers N SIZE | receive-text N | receive-numbers N
 */
import { Worker } from "node:worker_threads";
import {
  createParticipant,
  type Infer,
  type Reader,
  type StructDecl,
  type Writer,
} from "../../../ffi/mod.ts";
import { systemClock } from "../../base/clock.ts";
import { UsageError } from "../../base/errors.ts";
import { allocation, steps } from "./alone.ts";
import { busAllocation } from "./through-bus.ts";
import { cpuNow, cpuSince } from "./cpu.ts";
import { Latencies, percentile, RUN_IN, unixClock } from "./latency.ts";
import { Look, matched, QOS, type Track, track, trackReader, trackWriter } from "./tracks.ts";

const Text = {
  kind: "struct",
  name: "bench::Text",
  fields: { number: "u32", body: "string" },
} as const;
const Numbers = {
  kind: "struct",
  name: "bench::Numbers",
  fields: { number: "u32", reals: { kind: "sequence", of: "f64" } },
} as const;

const BURST = 3;
const BURST_MS = 5;
const SOAK_COLLECTION = 250_000;
const WARM_UP = 6000;

const [mode = "", countText = "", sizeText = "0"] = Bun.argv.slice(2);
const count = Number(countText);
const size = Number(sizeText);

function print(figures: Record<string, number>): void {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}

/** Writes `count` samples and waits until all are acknowledged. */
function writeAll<D extends StructDecl>(
  writer: Writer<D>,
  sample: Infer<D>,
  next: (i: number) => void,
): void {
  const cpu = cpuNow();
  const startedMs = performance.now();
  for (let i = 0; i < count; i++) {
    next(i);
    writer.write(sample);
  }
  writer.flush();
  writer.waitForAcknowledgments(60_000);
  const seconds = (performance.now() - startedMs) / 1000;
  print({ written: count, seconds, ...cpuSince(cpu) });
}

/** Writes three messages every five milliseconds. */
async function pulse(writer: Writer<Track>): Promise<void> {
  const sample = track();
  const unixMs = unixClock();
  const startedMs = performance.now();
  for (let i = 0; i < count; i++) {
    if (i % BURST === 0) {
      const dueMs = startedMs + (i / BURST) * BURST_MS;
      await systemClock.sleep(Math.max(0, dueMs - performance.now()));
    }
    sample.sequence_number = i;
    sample.observed_unix_ms = unixMs();
    writer.write(sample);
  }
  writer.waitForAcknowledgments(30_000);
  print({ written: count, seconds: (performance.now() - startedMs) / 1000 });
}

/**
 * Reads with `takeSome` until `count` samples have arrived; returns figures of the time since the
 * first.
 */
async function readAll<D extends StructDecl>(
  reader: Reader<D>,
  takeSome: () => number,
): Promise<Record<string, number>> {
  let [got, startedMs, wake_ups] = [0, 0, 0];
  let cpu = cpuNow();
  const done = Promise.withResolvers<void>();
  reader.onData(() => {
    if (got === 0) [startedMs, cpu] = [performance.now(), cpuNow()];
    wake_ups++;
    got += takeSome();
    if (got >= count) done.resolve();
  });
  await done.promise;
  const seconds = (performance.now() - startedMs) / 1000;
  return { read: got, seconds, wake_ups, ...cpuSince(cpu) };
}

async function readTracks(reader: Reader<Track>, asObjects: boolean): Promise<void> {
  const look = new Look();
  const visit = (value: Infer<Track>): void => look.track(value);
  const takeViews = (): number => reader.take(visit);
  const takeObjects = (): number => {
    const taken = reader.takeObjects();
    for (const { value } of taken) look.track(value);
    return taken.length;
  };
  const figures = await readAll(reader, asObjects ? takeObjects : takeViews);
  print({ ...figures, check: look.sum });
}

async function hear(reader: Reader<Track>): Promise<void> {
  const latencies = new Latencies(count);
  const figures = await readAll(reader, () =>
    reader.take((value) => latencies.note(value.observed_unix_ms)),
  );
  print({ ...figures, ...latencies.figures() });
}

/** The same in a Worker that blocks until samples arrive. */
async function hearWaiting(): Promise<void> {
  const worker = new Worker(new URL("waiter.ts", import.meta.url), { workerData: count });
  const figures = await new Promise<Record<string, number>>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  print({ read: count, ...figures });
}

/** A stream at a constant rate: no sample may be lost and none may accumulate. */
async function steady(reader: Reader<Track>): Promise<void> {
  const look = new Look();
  const waits = new Float64Array(count);
  let [heard, rssEarly, takenMs, startedMs] = [0, 0, 0, 0];
  let cpuBefore = process.cpuUsage();
  const figures = await readAll(reader, () => {
    takenMs = performance.now();
    return reader.take((value) => {
      waits[heard++] = performance.now() - takenMs;
      look.track(value);
      if (heard !== WARM_UP) return;
      [rssEarly, cpuBefore, startedMs] = [
        process.memoryUsage.rss(),
        process.cpuUsage(),
        performance.now(),
      ];
    });
  });
  const { user, system } = process.cpuUsage(cpuBefore);
  waits.sort();
  print({
    ...figures,
    check: look.sum,
    take_to_handler_p99_us: percentile(waits, 0.99) * 1000,
    cpu_share: (user + system) / 1000 / (performance.now() - startedMs),
    rss_growth_bytes: process.memoryUsage.rss() - rssEarly,
  });
}

/** Many messages, with forced garbage collections: each must arrive once and in order. */
async function soak(reader: Reader<Track>): Promise<void> {
  const look = new Look();
  let [expected, inOrder, collections, rssEarly] = [0, 0, 0, 0];
  const figures = await readAll(reader, () =>
    reader.take((value) => {
      if (value.sequence_number === expected) inOrder++;
      expected = value.sequence_number + 1;
      look.track(value);
      if (expected % SOAK_COLLECTION !== 0) return;
      Bun.gc(true);
      collections++;
      if (expected === 4 * SOAK_COLLECTION) rssEarly = process.memoryUsage.rss();
    }),
  );
  const rss_bytes = process.memoryUsage.rss();
  print({
    ...figures,
    check: look.sum,
    in_order: inOrder,
    collections,
    rss_bytes,
    rss_early_bytes: rssEarly,
  });
}

const least = mode.startsWith("hear") ? RUN_IN : 0;
if (!(count > least)) {
  throw new UsageError(`Cannot measure: N must be above ${least}, but is ${countText}`);
}
using participant = createParticipant();

const MODES: Readonly<Record<string, () => Promise<void>>> = {
  allocation: async () => {
    const alone = await allocation(participant, count);
    print({ ...alone, ...(await busAllocation(count)) });
  },
  steps: async () => print(await steps(participant, count)),
  write: async () => {
    const sample = track();
    writeAll(await trackWriter(participant), sample, (i) => {
      sample.sequence_number = i;
      sample.position.x = i;
    });
  },
  pulse: async () => pulse(await trackWriter(participant)),
  view: () => readTracks(trackReader(participant), false),
  object: () => readTracks(trackReader(participant), true),
  hear: () => hear(trackReader(participant)),
  "hear-waiting": hearWaiting,
  steady: () => steady(trackReader(participant)),
  soak: () => soak(trackReader(participant)),
  "send-text": async () => {
    const sample = { number: 0, body: "x".repeat(size) };
    const writer = await matched(participant.writer(participant.topic("Text", Text, QOS)));
    writeAll(writer, sample, (i) => void (sample.number = i));
  },
  "send-numbers": async () => {
    const sample = { number: 0, reals: Array.from({ length: size }, () => 0) };
    const writer = await matched(participant.writer(participant.topic("Numbers", Numbers, QOS)));
    writeAll(writer, sample, (i) => void (sample.number = i));
  },
  "receive-text": async () => {
    let sum = 0;
    const reader = participant.reader(participant.topic("Text", Text, QOS));
    const visit = (value: Infer<typeof Text>): void => void (sum += value.body.length);
    print({ ...(await readAll(reader, () => reader.take(visit))), check: sum });
  },
  "receive-numbers": async () => {
    let sum = 0;
    const reader = participant.reader(participant.topic("Numbers", Numbers, QOS));
    const visit = (value: Infer<typeof Numbers>): void => {
      for (const number of value.reals) sum += number;
    };
    print({ ...(await readAll(reader, () => reader.take(visit))), check: sum });
  },
};
const run = MODES[mode];
if (run === undefined) {
  throw new UsageError(
    `Cannot measure: the mode must be one of ${Object.keys(MODES).join(", ")}, but is ${mode}`,
  );
}
await run();
