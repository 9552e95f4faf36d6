/**
 * Measurements within one process, where samples are written and then taken, so that waiting and
 * wake-ups do not count.
 */
import type { Infer, Participant, Reader } from "../../../ffi/mod.ts";
import { Look, type Track, track, trackReader, trackWriter } from "./tracks.ts";

const STEP_ROUNDS = 8;

interface Alone {
  readonly reader: Reader<Track>;
  readonly look: Look;
  readonly writeSome: () => void;
  readonly takeViews: () => void;
  readonly takeObjects: () => void;
}

async function alone(participant: Participant, count: number): Promise<Alone> {
  const reader = trackReader(participant);
  const writer = await trackWriter(participant);
  const sample = track();
  const look = new Look();
  const visit = (value: Infer<Track>): void => look.track(value);
  return {
    reader,
    look,
    writeSome: () => {
      for (let i = 0; i < count; i++) {
        sample.sequence_number = i;
        writer.write(sample);
      }
    },
    takeViews: () => void reader.take(visit),
    takeObjects: () => {
      for (const { value } of reader.takeObjects()) look.track(value);
    },
  };
}

/**
 * Bytes on the JavaScript heap. With garbage collection off (BUN_JSC_useGC=0) the number only
 * grows.
 */
export const heapBytes = (): number => process.memoryUsage().heapUsed;

/**
 * Bytes of heap for each message, garbage included; run it with garbage collection off
 * (BUN_JSC_useGC=0).
 */
export async function allocation(
  participant: Participant,
  count: number,
): Promise<Record<string, number>> {
  const { reader, look, writeSome, takeViews, takeObjects } = await alone(participant, count);
  const perMessage = (work: () => void): number => {
    const before = heapBytes();
    work();
    return (heapBytes() - before) / count;
  };
  // The first rounds compile the code.
  for (let warm = 0; warm < 2; warm++) {
    for (const take of [takeViews, takeObjects]) {
      writeSome();
      take();
    }
  }
  const write_bytes = perMessage(writeSome);
  const view_bytes = perMessage(takeViews);
  writeSome();
  const object_bytes = perMessage(takeObjects);
  reader.close();
  return { write_bytes, view_bytes, object_bytes, check: look.sum };
}

/**
 * CPU time of each step for each message, nanoseconds: the minimum of several rounds, because other
 * work on the machine can only increase it.
 */
export async function steps(
  participant: Participant,
  count: number,
): Promise<Record<string, number>> {
  const { reader, look, writeSome, takeViews, takeObjects } = await alone(participant, count);
  const least = { write: Infinity, take: Infinity, view: Infinity, object: Infinity };
  const takes = {
    take: () => void reader.take(() => {}),
    view: takeViews,
    object: takeObjects,
  };
  const measure = (name: keyof typeof least, work: () => void): void => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    least[name] = Math.min(least[name], ((user + system) * 1000) / count);
  };
  for (let round = 0; round < STEP_ROUNDS; round++) {
    for (const name of ["take", "view", "object"] as const) {
      measure("write", writeSome);
      measure(name, takes[name]);
    }
  }
  reader.close();
  const { write, take, view, object } = least;
  return {
    write_ns: write,
    take_ns: take,
    fields_ns: view - take,
    object_ns: object,
    check: look.sum,
  };
}
