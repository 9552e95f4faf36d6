/**
 * Writes source tracks at a constant rate, and measures the latency of the resulting tactical
 * tracks.
 */
import { createParticipant } from "../../../ffi/mod.ts";
import { loopbackConfig } from "../../../ffi/testing/domain.ts";
import { systemClock } from "../../base/clock.ts";
import { TOPIC_QOS } from "../../contract/qos.ts";
import { SourceTrack, TacticalTrack } from "../../contract/types.ts";

/** Three targets every 5 ms: 600 messages a second, as in the flood scenario. */
const PERIOD_MS = 5;
const TARGETS = [
  { x: 0, y: 0, z: 9000 },
  { x: 40_000, y: 0, z: 9000 },
  { x: 0, y: 40_000, z: 9000 },
] as const;

export interface Load {
  /** Cyclone's configuration for the process under load. */
  readonly configXml: string;
  /** Whether that process reads the load's topic and the load reads its topic. */
  readonly isMatched: boolean;
  start(): void;
  /** Resets the counters. */
  reset(): void;
  /** Stops writing; returns the messages sent and the latencies in milliseconds since reset(). */
  stop(): { readonly sent: number; readonly latenciesMs: readonly number[] };
  close(): void;
}

/** Creates a load on DDS domain 0 for participants with the same `tag`. */
export function openLoad(tag: string): Load {
  const configXml = loopbackConfig(tag);
  const participant = createParticipant({ domainId: 0, configXml });
  const sources = participant.topic("SourceTrackTopic", SourceTrack);
  const tracks = participant.topic("TacticalTrackTopic", TacticalTrack);
  const writer = participant.writer(sources, TOPIC_QOS.SourceTrackTopic);
  const reader = participant.reader(tracks, TOPIC_QOS.TacticalTrackTopic);
  const sentMs = new Map<string, number>();
  let latenciesMs: number[] = [];
  let [sent, sequence] = [0, 0];
  let timer: ReturnType<typeof setInterval> | undefined;

  reader.onData(() => {
    const nowMs = performance.now();
    for (const { value, info } of reader.takeObjects()) {
      if (!info.valid) continue;
      const traceId = (value as { trace: { traceparent: string } }).trace.traceparent.split("-")[1];
      const startedMs = sentMs.get(traceId ?? "");
      if (startedMs !== undefined) latenciesMs.push(nowMs - startedMs);
    }
  });

  const writeOne = (target: number, position: (typeof TARGETS)[number]): void => {
    sequence++;
    const traceId = sequence.toString(16).padStart(32, "0");
    sentMs.set(traceId, performance.now());
    writer.write({
      sensor_id: "RADAR-1",
      source_track_id: `RADAR-1:${target}`,
      sensor_type: "RADAR",
      sequence_number: sequence,
      position,
      velocity: { x: 0, y: 0, z: 0 },
      classification: "UNKNOWN",
      position_sigma_m: 50,
      // Fusion refuses observations that are some seconds old.
      observed_unix_ms: systemClock.nowMs(),
      trace: { traceparent: `00-${traceId}-b7ad6b7169203331-01`, tracestate: "" },
    });
    sent++;
  };

  const reset = (): void => {
    sentMs.clear();
    latenciesMs = [];
    sent = 0;
  };

  return {
    configXml,
    get isMatched() {
      return writer.matched.current > 0 && reader.matched.current > 0;
    },
    start: () => {
      // A late timer does not change the schedule: the missing messages are written at the next
      // turn.
      const startMs = performance.now();
      let turns = 0;
      timer = setInterval(() => {
        const due = Math.floor((performance.now() - startMs) / PERIOD_MS);
        for (; turns < due; turns++) TARGETS.forEach((position, i) => writeOne(i, position));
      }, PERIOD_MS);
      reset();
    },
    reset,
    stop: () => {
      clearInterval(timer);
      return { sent, latenciesMs };
    },
    close: () => participant.close(),
  };
}
