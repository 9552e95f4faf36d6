/**
 * The JavaScript side of the benchmark; see main.ts for what each mode is for.
 *
 *   bun peer.ts allocation N
 *   bun peer.ts write N | pulse N         bun peer.ts view N | object N | hear N | steady N | soak N
 *   bun peer.ts send-text N SIZE | send-numbers N SIZE | receive-text N | receive-numbers N
 */
import {
  createParticipant,
  type Infer,
  type Reader,
  type StructDecl,
  type Writer,
} from "../../../ffi/mod.ts";
import { systemClock } from "../../base/clock.ts";
import { UsageError } from "../../base/errors.ts";
import { waitUntil } from "../../base/wait.ts";
import { SourceTrack } from "../../contract/types.ts";

const QOS = {
  reliability: "RELIABLE",
  history: { kind: "KEEP_ALL" },
  maxBlockingMs: 10_000,
} as const;
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

/** Bytes on the JavaScript heap. With collection switched off (BUN_JSC_useGC=0) it only grows. */
const heapBytes = (): number => process.memoryUsage().heapUsed;

/** Milliseconds since the epoch, finer than Date.now(): its steps give the offset of the monotonic clock. */
function unixClock(): () => number {
  const until = performance.now() + 30;
  let offset = Number.NEGATIVE_INFINITY;
  while (performance.now() < until) {
    offset = Math.max(offset, systemClock.nowMs() - performance.now());
  }
  return () => offset + performance.now();
}

const percentile = (sorted: Float64Array, share: number): number =>
  sorted[Math.floor(sorted.length * share)] ?? Number.NaN;

async function matched<D extends StructDecl>(writer: Writer<D>): Promise<Writer<D>> {
  await waitUntil(() => ({ ok: writer.matched.current > 0, seen: "no reader" }), {
    what: "a reader",
    deadlineMs: 30_000,
    intervalMs: 5,
  });
  return writer;
}

/**
 * Bytes of heap for each message, garbage included: run it with collection switched off (BUN_JSC_useGC=0). Everything is in this process:
 * samples are written, and then taken at once, so that neither waiting nor wake-ups are counted.
 */
async function allocation(): Promise<void> {
  const reader = trackReader();
  const writer = await matched(participant.writer(tracks(), QOS));
  const sample = track();
  const look = new Look();
  const visit = (value: Infer<typeof SourceTrack>): void => look.track(value);
  const perMessage = (work: () => void): number => {
    const before = heapBytes();
    work();
    return (heapBytes() - before) / count;
  };
  const writeSome = (): void => {
    for (let i = 0; i < count; i++) {
      sample.sequence_number = i;
      writer.write(sample);
    }
  };
  const takeObjects = (): void => {
    for (const { value } of reader.takeObjects()) look.track(value);
  };
  // The first rounds compile the code that the others run.
  for (let warm = 0; warm < 2; warm++) {
    writeSome();
    reader.take(visit, count / 2);
    takeObjects();
  }
  const write_bytes = perMessage(writeSome);
  const view_bytes = perMessage(() => void reader.take(visit));
  writeSome();
  const object_bytes = perMessage(takeObjects);
  reader.close();
  print({ write_bytes, view_bytes, object_bytes, check: look.sum });
}

/** Writes `count` samples and waits until all have arrived. */
function writeAll<D extends StructDecl>(
  writer: Writer<D>,
  sample: Infer<D>,
  next: (i: number) => void,
): void {
  const startedMs = performance.now();
  for (let i = 0; i < count; i++) {
    next(i);
    writer.write(sample);
  }
  writer.flush();
  writer.waitForAcknowledgments(60_000);
  print({ written: count, seconds: (performance.now() - startedMs) / 1000 });
}

const track = () => ({
  sensor_id: "RADAR-1",
  source_track_id: "RADAR-1:1",
  sensor_type: "RADAR" as const,
  sequence_number: 0,
  position: { x: 0, y: 0, z: 0 },
  velocity: { x: 0, y: 0, z: 0 },
  classification: "UNKNOWN" as const,
  position_sigma_m: 50,
  observed_unix_ms: 0,
  trace: {
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    tracestate: "",
  },
});

/** Three messages every five milliseconds. */
async function pulse(writer: Writer<typeof SourceTrack>): Promise<void> {
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

/** Reads with `takeSome` until `count` samples are there; returns figures of the time in between. */
async function readAll<D extends StructDecl>(
  reader: Reader<D>,
  takeSome: () => number,
): Promise<Record<string, number>> {
  let [got, startedMs] = [0, 0];
  const done = Promise.withResolvers<void>();
  reader.onData(() => {
    if (got === 0) startedMs = performance.now();
    got += takeSome();
    if (got >= count) done.resolve();
  });
  await done.promise;
  return { read: got, seconds: (performance.now() - startedMs) / 1000 };
}

/** Reads every field, as a service does. */
class Look {
  sum = 0;

  track(value: Infer<typeof SourceTrack>): void {
    const { position, velocity, trace } = value;
    this.sum +=
      position.x +
      position.y +
      position.z +
      velocity.x +
      velocity.y +
      velocity.z +
      value.sequence_number +
      value.position_sigma_m +
      value.observed_unix_ms +
      value.sensor_id.length +
      value.source_track_id.length +
      value.sensor_type.length +
      value.classification.length +
      trace.traceparent.length +
      trace.tracestate.length;
  }
}

async function readTracks(reader: Reader<typeof SourceTrack>, asObjects: boolean): Promise<void> {
  const look = new Look();
  const visit = (value: Infer<typeof SourceTrack>): void => look.track(value);
  const takeViews = (): number => reader.take(visit);
  const takeObjects = (): number => {
    const taken = reader.takeObjects();
    for (const { value } of taken) look.track(value);
    return taken.length;
  };
  const figures = await readAll(reader, asObjects ? takeObjects : takeViews);
  print({ ...figures, check: look.sum });
}

async function hear(reader: Reader<typeof SourceTrack>): Promise<void> {
  const unixMs = unixClock();
  const latencies = new Float64Array(count);
  let heard = 0;
  const figures = await readAll(reader, () =>
    reader.take((value) => {
      latencies[heard++] = unixMs() - value.observed_unix_ms;
    }),
  );
  latencies.sort();
  const [p50_us, p99_us] = [percentile(latencies, 0.5) * 1000, percentile(latencies, 0.99) * 1000];
  print({ ...figures, p50_us, p99_us });
}

/** A stream at a constant rate: nothing may be lost, nothing may pile up. */
async function steady(reader: Reader<typeof SourceTrack>): Promise<void> {
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

/** Very many messages, with collections forced in between: each has to come once, and in its turn. */
async function soak(reader: Reader<typeof SourceTrack>): Promise<void> {
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

if (!(count > 0)) throw new UsageError(`Cannot measure: N must be above 0, but is ${countText}`);
using participant = createParticipant();
const tracks = () => participant.topic("SourceTrackTopic", SourceTrack);
const trackReader = () => participant.reader(tracks(), QOS);

const MODES: Readonly<Record<string, () => Promise<void>>> = {
  allocation,
  write: async () => {
    const sample = track();
    writeAll(await matched(participant.writer(tracks(), QOS)), sample, (i) => {
      sample.sequence_number = i;
      sample.position.x = i;
    });
  },
  pulse: async () => pulse(await matched(participant.writer(tracks(), QOS))),
  view: () => readTracks(trackReader(), false),
  object: () => readTracks(trackReader(), true),
  hear: () => hear(trackReader()),
  steady: () => steady(trackReader()),
  soak: () => soak(trackReader()),
  "send-text": async () => {
    const sample = { number: 0, body: "x".repeat(size) };
    const writer = await matched(participant.writer(participant.topic("Text", Text), QOS));
    writeAll(writer, sample, (i) => void (sample.number = i));
  },
  "send-numbers": async () => {
    const sample = { number: 0, reals: Array.from({ length: size }, () => 0) };
    const writer = await matched(participant.writer(participant.topic("Numbers", Numbers), QOS));
    writeAll(writer, sample, (i) => void (sample.number = i));
  },
  "receive-text": async () => {
    let sum = 0;
    const reader = participant.reader(participant.topic("Text", Text), QOS);
    const visit = (value: Infer<typeof Text>): void => void (sum += value.body.length);
    print({ ...(await readAll(reader, () => reader.take(visit))), check: sum });
  },
  "receive-numbers": async () => {
    let sum = 0;
    const reader = participant.reader(participant.topic("Numbers", Numbers), QOS);
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
