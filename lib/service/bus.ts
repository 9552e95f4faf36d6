/**
 * Publish and subscribe by topic, over DDS.
 *
 * The bus owns the participant and can make it again with all its endpoints: a participant whose
 * network interface was removed receives nothing any more, not even when the interface is back.
 */
import {
  createParticipant,
  DdsError,
  type IncompatibleQosStatus,
  type Participant,
  type Reader,
  type SampleInfo,
  type StructDecl,
  type Writer,
} from "../../ffi/mod.ts";
import { systemClock } from "../base/clock.ts";
import {
  FORCED_QOS,
  type ForcedQosName,
  MATCHING_POLICIES,
  type QosProfile,
  TOPIC_QOS,
} from "../contract/qos.ts";
import type { TopicName } from "../contract/topology.ts";
import { TOPIC_TYPES } from "../contract/types.ts";
import type { CounterSeries } from "../telemetry/meters.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { type Arrival, CurrentArrival } from "./arrival.ts";
import type { Key, Message } from "./message.ts";

/** Writes messages to a topic. */
export interface Publisher<T extends TopicName> {
  publish(message: Message<T>): void;
  /**
   * Disposes the instance with this key, which subscribers are told of, and frees what the writer
   * keeps of it.
   */
  retire(key: Key<T>): void;
}

/** Reads the messages of a topic where they are. */
export interface Subscriber<T extends TopicName> {
  /** `message` and `arrival` are views that the next message overwrites: copy what is kept. */
  message(message: Message<T>, arrival: Arrival<T>): void;
  /**
   * A writer has retired this instance; its last messages came before. A writer that stops or dies
   * retires nothing. `key` is a view of the key fields.
   */
  disposed?(key: Key<T>): void;
}

/** What a service's own code uses of the bus. */
export interface MessageBus {
  /** Opens a writer of `topic`. */
  publisher<T extends TopicName>(topic: T): Publisher<T>;
  /** Opens a reader of `topic`, each message of which `subscriber` visits. */
  visit<T extends TopicName>(topic: T, subscriber: Subscriber<T>): void;
  /** Counts a received message that makes no sense, and logs the 1st, 10th, 100th … of them. */
  reject(topic: TopicName, reason: string): void;
}

export interface BusOptions {
  readonly domainId: number;
  readonly forceQos?: ForcedQosName | undefined;
  readonly telemetry: Telemetry;
  /** Cyclone's configuration, as CYCLONEDDS_URI holds it. */
  readonly configXml?: string;
}

interface Endpoint {
  readonly topic: TopicName;
  readonly kind: "reader" | "writer";
  open(participant: Participant): void;
  /** Matched endpoints now, and what was refused, lost and rejected since open(). */
  status(): EndpointStatus | undefined;
}

interface EndpointStatus {
  readonly matched: number;
  readonly incompatible: IncompatibleQosStatus;
  readonly lost: number;
  readonly rejected: number;
}

/**
 * Configuration with which a writer collects what is written within one task of the event loop, and
 * sends it in as few packets as possible. A packet for each message costs more processor time than
 * all else that a service does with it.
 */
export const WRITE_BATCHING =
  "<CycloneDDS><Domain><Internal><WriteBatch>true</WriteBatch></Internal></Domain></CycloneDDS>";

export class Bus implements MessageBus {
  readonly #options: BusOptions;
  readonly #endpoints: { readonly endpoint: Endpoint; seen: EndpointStatus }[] = [];
  #participant: Participant;
  #rejected = 0;

  constructor(options: BusOptions) {
    this.#options = options;
    this.#participant = this.#join();
  }

  /** Opens a writer of `topic`, with its own profile or the forced one. */
  publisher<T extends TopicName>(topic: T): Publisher<T> {
    const { forceQos, telemetry } = this.#options;
    const qos: QosProfile = forceQos === undefined ? TOPIC_QOS[topic] : FORCED_QOS[forceQos];
    let writer: Writer;
    let isFlushPlanned = false;
    const flush = (): void => {
      isFlushPlanned = false;
      if (this.#isJoined) writer.flush();
    };
    const planFlush = (): void => {
      if (isFlushPlanned) return;
      isFlushPlanned = true;
      queueMicrotask(flush);
    };
    this.#add({
      topic,
      kind: "writer",
      open: (participant) => {
        // No dispose at close: the targets still fly when the service that tracks them stops.
        const own = { ...qos, autodispose: false };
        writer = participant.writer(participant.topic(topic, declaration(topic)), own);
      },
      status: () => ({
        matched: writer.matched.current,
        incompatible: writer.incompatibleQos,
        lost: 0,
        rejected: 0,
      }),
    });
    telemetry.logger.log("dds_writer_ready", {
      topic,
      qos: describeQos(qos),
      env_qos_override: forceQos ?? null,
    });
    return {
      publish: (message) => {
        if (!this.#isJoined) return;
        writer.write(message);
        planFlush();
      },
      retire: (key) => {
        if (!this.#isJoined) return;
        const instance = key as Partial<Message<T>>;
        writer.dispose(instance);
        writer.unregister(instance);
        planFlush();
      },
    };
  }

  visit<T extends TopicName>(topic: T, subscriber: Subscriber<T>): void {
    const qos = TOPIC_QOS[topic];
    let reader: Reader;
    const reject = (error: Error): void => this.reject(topic, error.message);
    const arrival = new CurrentArrival<T>(() => reader.copy() as Message<T>);
    const visitor = (sample: unknown, info: SampleInfo): void => {
      const message = sample as Message<T>;
      if (info.valid) {
        arrival.show(message.trace);
        subscriber.message(message, arrival);
      }
      // Each sample carries the instance's present state, so the subscriber is told at the last
      // one.
      if (info.instanceState === "NOT_ALIVE_DISPOSED" && info.sampleRank === 0) {
        subscriber.disposed?.(message);
      }
    };
    const drain = (): void => {
      arrival.takenMs = systemClock.monotonicMs();
      reader.take(visitor, Infinity, reject);
    };
    this.#add({
      topic,
      kind: "reader",
      open: (participant) => {
        reader = participant.reader(participant.topic(topic, declaration(topic)), qos);
        reader.onData(drain);
      },
      status: () => ({
        matched: reader.matched.current,
        incompatible: reader.incompatibleQos,
        lost: reader.samplesLost,
        rejected: reader.samplesRejected,
      }),
    });
    this.#options.telemetry.logger.log("dds_subscriber_ready", { topic, qos: describeQos(qos) });
  }

  /**
   * Leaves the domain and joins it again with every endpoint. Returns false when that is not
   * possible yet (the interface has no address so far): messages that are published before the next
   * try are lost.
   */
  recreate(): boolean {
    this.#participant.close();
    try {
      this.#participant = this.#join();
    } catch (error) {
      if (error instanceof DdsError) return false;
      throw error;
    }
    for (const entry of this.#endpoints) {
      entry.endpoint.open(this.#participant);
      entry.seen = NOTHING_SEEN;
    }
    return true;
  }

  get #isJoined(): boolean {
    return !this.#participant.closed;
  }

  /** Turns the endpoints' statuses into metrics, and a new incompatibility into a warning. */
  report(): void {
    if (!this.#isJoined) return;
    for (const entry of this.#endpoints) {
      const now = entry.endpoint.status();
      if (now === undefined) continue;
      this.#reportEndpoint(entry.endpoint, entry.seen, now);
      entry.seen = now;
    }
  }

  close(): void {
    this.#participant.close();
  }

  #join(): Participant {
    const { domainId, configXml = "" } = this.#options;
    return createParticipant(configXml === "" ? { domainId } : { domainId, configXml });
  }

  #add(endpoint: Endpoint): void {
    endpoint.open(this.#participant);
    this.#endpoints.push({ endpoint, seen: NOTHING_SEEN });
    for (const policy of MATCHING_POLICIES) this.#refused(endpoint, policy).add(0);
  }

  #refused({ topic, kind }: Endpoint, policy: string): CounterSeries {
    const { meters } = this.#options.telemetry;
    return meters.counter("cms_dds_incompatible_qos_total", { topic, endpoint: kind, policy });
  }

  #reportEndpoint(endpoint: Endpoint, before: EndpointStatus, now: EndpointStatus): void {
    const { meters, logger } = this.#options.telemetry;
    const { topic, kind } = endpoint;
    meters.gauge("cms_dds_matched_endpoints", { topic, endpoint: kind }).set(now.matched);
    const refused = now.incompatible.total - before.incompatible.total;
    if (refused > 0) {
      const policy = now.incompatible.lastPolicy ?? "UNKNOWN";
      this.#refused(endpoint, policy).add(refused);
      logger.log("dds_incompatible_qos", {
        topic,
        endpoint: kind,
        policy,
        total: now.incompatible.total,
      });
    }
    if (kind === "writer") return;
    meters
      .counter("cms_dds_samples_lost_total", { topic })
      .add(Math.max(0, now.lost - before.lost));
    meters
      .counter("cms_dds_samples_rejected_total", { topic })
      .add(Math.max(0, now.rejected - before.rejected));
  }

  reject(topic: TopicName, reason: string): void {
    this.#rejected++;
    // The first, the tenth, the hundredth …: enough to know, whatever the rate.
    if (Number.isInteger(Math.log10(this.#rejected))) {
      this.#options.telemetry.logger.log("message_rejected", {
        topic,
        reason,
        total: this.#rejected,
      });
    }
  }
}

const NOTHING_SEEN: EndpointStatus = {
  matched: 0,
  incompatible: { total: 0, lastPolicyId: 0, lastPolicy: null },
  lost: 0,
  rejected: 0,
};

const declaration = (topic: TopicName): StructDecl => TOPIC_TYPES[topic];

function describeQos({ reliability, history, durability, ownership }: QosProfile): string {
  const kept = history.kind === "KEEP_ALL" ? "KEEP_ALL" : `KEEP_LAST(${history.depth})`;
  return [reliability, kept, durability, ...(ownership === undefined ? [] : [ownership])].join(" ");
}
