/** What the JavaScript side of the benchmark writes and reads. */
import {
  type Infer,
  type Participant,
  type Reader,
  type StructDecl,
  type Writer,
} from "../../../ffi/mod.ts";
import { waitUntil } from "../../base/wait.ts";
import { SourceTrack } from "../../contract/types.ts";

export const QOS = {
  reliability: "RELIABLE",
  history: { kind: "KEEP_ALL" },
  maxBlockingMs: 10_000,
} as const;

export type Track = typeof SourceTrack;

export const topicOf = (participant: Participant) =>
  participant.topic("SourceTrackTopic", SourceTrack, QOS);

export const trackReader = (participant: Participant): Reader<Track> =>
  participant.reader(topicOf(participant));

/** Returns a writer after a reader has matched. */
export const trackWriter = (participant: Participant): Promise<Writer<Track>> =>
  matched(participant.writer(topicOf(participant)));

/** Waits until a reader matches `writer`. */
export async function matched<D extends StructDecl>(writer: Writer<D>): Promise<Writer<D>> {
  await waitUntil(() => ({ ok: writer.matched.current > 0, seen: "no reader" }), {
    what: "a reader",
    deadlineMs: 30_000,
    intervalMs: 5,
  });
  return writer;
}

export const track = () => ({
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

/** Reads every field, like a service. */
export class Look {
  sum = 0;

  track(value: Infer<Track>): void {
    const { traceparent, tracestate } = value.trace;
    this.data(value);
    this.sum += traceparent.length + tracestate.length;
  }

  /** Every field except the trace. */
  data(value: Infer<Track>): void {
    const { position, velocity } = value;
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
      value.classification.length;
  }
}
