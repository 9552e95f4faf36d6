/** The hook that changes what a service publishes: wrong content, wrong time, wrong number. */
import { createPrng } from "../base/prng.ts";
import type { OutputChange } from "../contract/hooks.ts";
import { SENSOR_IDS } from "../contract/topology.ts";
import type { Message } from "./message.ts";

/** What the changes know of a message; a topic without a field is not changed in it. */
interface Fields {
  readonly [field: string]: unknown;
  readonly sensor_id?: string;
  readonly position?: { readonly x: number; readonly y: number; readonly z: number };
  readonly classification?: Message<"SourceTrackTopic">["classification"];
}

type Write = (message: Fields) => void;
/** Writes what becomes of a message: it, another one, several, or nothing. */
export type ChangedWrite = (message: object, write: (message: object) => void) => void;

const SEED = 1;
/** Far outside of the area that the sensors watch, metres. */
const GARBLED_M = 1e7;

/** Applies a change to each message that is written. `after` runs what is due later. */
export function changeOutput(
  { name, amount }: OutputChange,
  after: (delayMs: number, action: () => void) => void,
): ChangedWrite {
  const prng = createPrng(SEED);
  const held = new Map<unknown, Fields["position"]>();
  const hits = (): boolean => prng.next() < amount;
  const moved = (message: Fields, by: () => number): Fields => {
    const { position: at } = message;
    if (at === undefined) return message;
    return { ...message, position: { x: at.x + by(), y: at.y + by(), z: at.z + by() } };
  };
  const changes: Record<OutputChange["name"], (message: Fields, write: Write) => void> = {
    // To the east alone: altitude decides on threats, and a bias of a sensor is of its bearing.
    position_offset: (message, write) => {
      const { position: at } = message;
      write(at === undefined ? message : { ...message, position: { ...at, x: at.x + amount } });
    },
    position_noise: (message, write) => write(moved(message, () => prng.gaussian() * amount)),
    position_held: (message, write) => {
      const key = message["source_track_id"] ?? message["track_id"];
      if (!held.has(key)) held.set(key, message.position);
      const position = held.get(key);
      write(position === undefined || !hits() ? message : { ...message, position });
    },
    not_a_number: (message, write) => write(hits() ? moved(message, () => Number.NaN) : message),
    garbled: (message, write) => write(hits() ? garbled(message, () => prng.next()) : message),
    misclassified: (message, write) => write(hits() ? misclassified(message) : message),
    dropped: (message, write) => void (hits() || write(message)),
    time_offset: (message, write) => write(shifted(message, amount * 1000)),
    delayed: (message, write) => {
      // A publisher may use its message again.
      const copy = structuredClone(message);
      after(amount * 1000, () => write(copy));
    },
    repeated: (message, write) => {
      for (let i = 0; i <= amount; i++) write(message);
    },
    foreign_sensor: (message, write) => {
      const sensor_id = SENSOR_IDS[Math.round(amount)] ?? SENSOR_IDS[0];
      write(message.sensor_id === undefined ? message : { ...message, sensor_id });
    },
  };
  const change = changes[name];
  return (message, write) => change(message as Fields, write);
}

function garbled(message: Fields, next: () => number): Fields {
  const { position: at, sensor_id: sensorId } = message;
  const far = (): number => (next() - 0.5) * GARBLED_M;
  return {
    ...message,
    ...(at === undefined ? {} : { position: { x: far(), y: far(), z: far() } }),
    ...(sensorId === undefined ? {} : { sensor_id: Math.floor(next() * 1e9).toString(36) }),
  };
}

function misclassified(message: Fields): Fields {
  const { classification } = message;
  if (classification === undefined) return message;
  return { ...message, classification: classification === "MISSILE" ? "AIRCRAFT" : "MISSILE" };
}

/** All times of a message moved by `ms`. */
function shifted(message: Fields, ms: number): Fields {
  const times = Object.entries(message).filter(([field]) => field.endsWith("_unix_ms"));
  return {
    ...message,
    ...Object.fromEntries(times.map(([field, value]) => [field, Number(value) + ms])),
  };
}
