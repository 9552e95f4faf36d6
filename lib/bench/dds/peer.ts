/** The JavaScript side of the benchmark: `bun peer.ts write N`, `bun peer.ts view N`, `bun peer.ts object N`. */
import { createParticipant } from "../../../ffi/mod.ts";
import { UsageError } from "../../base/errors.ts";
import { waitUntil } from "../../base/wait.ts";
import { SourceTrack } from "../../contract/types.ts";

const QOS = {
  reliability: "RELIABLE",
  history: { kind: "KEEP_ALL" },
  maxBlockingMs: 10_000,
} as const;

const [mode = "", countText = ""] = Bun.argv.slice(2);
const count = Number(countText);

function print(figures: Record<string, number>): void {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}

/** Bytes allocated on the JavaScript heap, garbage included, as far as the engine counts them. */
const heapBytes = (): number => process.memoryUsage().heapUsed;

async function write(): Promise<void> {
  using participant = createParticipant();
  const writer = participant.writer(participant.topic("SourceTrackTopic", SourceTrack), QOS);
  await waitUntil(() => ({ ok: writer.matched.current > 0, seen: "no reader" }), {
    what: "a reader",
    deadlineMs: 30_000,
    intervalMs: 5,
  });
  const position = { x: 0, y: 0, z: 0 };
  const sample = {
    sensor_id: "RADAR-1",
    source_track_id: "RADAR-1:1",
    sensor_type: "RADAR" as const,
    sequence_number: 0,
    position,
    velocity: { x: 0, y: 0, z: 0 },
    classification: "UNKNOWN" as const,
    position_sigma_m: 50,
    observed_unix_ms: 0,
    trace: {
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      tracestate: "",
    },
  };
  Bun.gc(true);
  const before = heapBytes();
  const startedMs = performance.now();
  for (let i = 0; i < count; i++) {
    sample.sequence_number = i;
    position.x = i;
    writer.write(sample);
  }
  writer.waitForAcknowledgments(30_000);
  const seconds = (performance.now() - startedMs) / 1000;
  print({ written: count, seconds, heap_bytes_per_message: (heapBytes() - before) / count });
}

async function read(asObjects: boolean): Promise<void> {
  using participant = createParticipant();
  const reader = participant.reader(participant.topic("SourceTrackTopic", SourceTrack), QOS);
  let [got, sum, characters, startedMs, before] = [0, 0, 0, 0, 0];
  const done = Promise.withResolvers<void>();
  const look = (track: {
    readonly sensor_id: string;
    readonly source_track_id: string;
    readonly sensor_type: string;
    readonly sequence_number: number;
    readonly position: { readonly x: number; readonly y: number; readonly z: number };
    readonly velocity: { readonly x: number; readonly y: number; readonly z: number };
    readonly classification: string;
    readonly position_sigma_m: number;
    readonly observed_unix_ms: number;
    readonly trace: { readonly traceparent: string; readonly tracestate: string };
  }): void => {
    const { position, velocity, trace } = track;
    sum +=
      position.x +
      position.y +
      position.z +
      velocity.x +
      velocity.y +
      velocity.z +
      track.sequence_number +
      track.position_sigma_m +
      track.observed_unix_ms;
    characters +=
      track.sensor_id.length +
      track.source_track_id.length +
      track.sensor_type.length +
      track.classification.length +
      trace.traceparent.length +
      trace.tracestate.length;
    got++;
  };
  reader.onData(() => {
    if (got === 0) [startedMs, before] = [performance.now(), heapBytes()];
    if (asObjects) for (const { value } of reader.takeObjects()) look(value);
    else reader.take(look);
    if (got >= count) done.resolve();
  });
  await done.promise;
  const seconds = (performance.now() - startedMs) / 1000;
  const heap_bytes_per_message = (heapBytes() - before) / got;
  print({ read: got, seconds, heap_bytes_per_message, check: sum, characters });
}

if (!(count > 0)) throw new UsageError(`Cannot measure: N must be above 0, but is ${countText}`);
if (mode === "write") await write();
else if (mode === "view" || mode === "object") await read(mode === "object");
else throw new UsageError(`Cannot measure: the mode must be write, view or object, but is ${mode}`);
