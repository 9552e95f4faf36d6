/**
 * Publishes and subscribes by topic, over DDS.
 *
 * The bus owns the participant and can recreate it with all its endpoints: after its network
 * interface was removed, a participant receives nothing any more, even when the interface is back.
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
import type { OutputChange } from "../contract/hooks.ts";
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
import { changeOutput } from "./output-change.ts";

/** Writes messages to a topic. */
export interface Publisher<T extends TopicName> {
  publish(message: Message<T>): void;
  /**
   * Disposes the instance with this key, which notifies subscribers, and frees the writer's data of
   * it.
   */
  retire(key: Key<T>): void;
}

/** Reads a topic's messages in place. */
export interface Subscriber<T extends TopicName> {
  /** `message` and `arrival` are views that the next message overwrites: copy what you keep. */
  message(message: Message<T>, arrival: Arrival<T>): void;
  /**
   * Called after a writer has retired this instance and after its last messages. A writer that
   * stops or crashes retires nothing. `key` is a view of the key fields.
   */
  disposed?(key: Key<T>): void;
}

/** The part of the bus that services use. */
export interface MessageBus {
  /** Creates a writer of `topic`. */
  publisher<T extends TopicName>(topic: T): Publisher<T>;
  /** Creates a reader of `topic` that passes each message to `subscriber`. */
  visit<T extends TopicName>(topic: T, subscriber: Subscriber<T>): void;
  /** Counts an invalid message, and logs the 1st, 10th, 100th … of them. */
  reject(topic: TopicName, reason: string): void;
}

export interface BusOptions {
  readonly domainId: number;
  readonly forceQos?: ForcedQosName | undefined;
  readonly readerQos?: ForcedQosName | undefined;
  /** The partition of all endpoints; "" for the one of everybody. */
  readonly partition?: string | undefined;
  readonly output?: OutputChange | undefined;
  readonly telemetry: Telemetry;
  /** Cyclone's configuration, in the syntax of CYCLONEDDS_URI. */
  readonly configXml?: string;
}

interface Endpoint {
  readonly topic: TopicName;
  readonly kind: "reader" | "writer";
  open(participant: Participant): void;
  /**
   * The present number of matched endpoints, and the refusals, lost and rejected samples since
   * open().
   */
  status(): EndpointStatus | undefined;
}

interface EndpointStatus {
  readonly matched: number;
  readonly incompatible: IncompatibleQosStatus;
  readonly lost: number;
  readonly rejected: number;
}

/**
 * Configuration with which a writer collects the messages of one task of the event loop, and sends
 * them in as few packets as possible. One packet for each message would cost more processor time
 * than all other work of a service on it.
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

  /** Creates a writer of `topic`, with the topic's profile or the forced one. */
  publisher<T extends TopicName>(topic: T): Publisher<T> {
    const { forceQos, telemetry, output } = this.#options;
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
        // Closing disposes nothing: the targets still exist when the service that tracks them
        // stops.
        const own = { ...qos, ...this.#inPartition(), autodispose: false };
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
    const write = (message: object): void => {
      if (!this.#isJoined) return;
      writer.write(message as Message<T>);
      planFlush();
    };
    const change = output === undefined ? undefined : changeOutput(output, later);
    return {
      publish: change === undefined ? write : (message) => change(message, write),
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
    const { readerQos } = this.#options;
    const qos: QosProfile = readerQos === undefined ? TOPIC_QOS[topic] : FORCED_QOS[readerQos];
    let reader: Reader;
    const reject = (error: Error): void => this.reject(topic, error.message);
    const arrival = new CurrentArrival<T>(() => reader.copy() as Message<T>);
    const visitor = (sample: unknown, info: SampleInfo): void => {
      const message = sample as Message<T>;
      if (info.valid) {
        arrival.show(message.trace);
        subscriber.message(message, arrival);
      }
      // Every sample has the instance's present state, so only the last one counts.
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
        const own = { ...qos, ...this.#inPartition() };
        reader = participant.reader(participant.topic(topic, declaration(topic)), own);
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
   * Leaves the domain and joins it again with all endpoints. Returns false when that is not
   * possible yet (the interface has no address); messages published before the next attempt are
   * lost.
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

  /**
   * Exports the endpoints' statuses as metrics, and logs a warning for each new incompatibility.
   */
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

  #inPartition(): { readonly partition?: string } {
    const { partition = "" } = this.#options;
    return partition === "" ? {} : { partition };
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
    // The number of log lines stays small at any rate.
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

/** Does not keep the process alive: what a fault holds back ends with the service. */
const later = (delayMs: number, action: () => void): void =>
  void setTimeout(action, delayMs).unref();

const declaration = (topic: TopicName): StructDecl => TOPIC_TYPES[topic];

function describeQos({ reliability, history, durability, ownership }: QosProfile): string {
  const kept = history.kind === "KEEP_ALL" ? "KEEP_ALL" : `KEEP_LAST(${history.depth})`;
  return [reliability, kept, durability, ...(ownership === undefined ? [] : [ownership])].join(" ");
}
