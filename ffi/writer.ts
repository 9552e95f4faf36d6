/** A writer of a topic. */
import { Encoder } from "./encode.ts";
import { Entity } from "./entity.ts";
import { check } from "./error.ts";
import { loadLibrary } from "./library.ts";
import { nanoseconds, type Qos, withQos } from "./qos.ts";
import {
  type IncompatibleQosStatus,
  type MatchedStatus,
  readIncompatible,
  readMatched,
} from "./status.ts";
import type { Topic } from "./topic.ts";
import type { Infer, StructDecl } from "./types.ts";

/**
 * Writes a topic on the thread that created it. Its methods throw DdsClosedError after close(),
 * DdsError when Cyclone refuses.
 */
export class Writer<D extends StructDecl = StructDecl> extends Entity {
  readonly topic: Topic<D>;
  readonly #encoder: Encoder;
  /** Text for the error of a failed write, made once: a text for each write would be garbage. */
  readonly #action: string;

  /** @internal Use Participant.writer(). */
  constructor(participant: Entity, participantHandle: number, topic: Topic<D>, qos: Qos) {
    const topicHandle = Entity.handleOf(topic);
    const handle = withQos("writer", qos, (pointer) =>
      loadLibrary().dds.dds_create_writer(participantHandle, topicHandle, pointer, null),
    );
    check(handle, "dds_create_writer", `create a writer of ${topic.name}`);
    super(handle, `writer of ${topic.name}`, participant);
    this.topic = topic;
    this.#encoder = new Encoder(topic.type);
    this.#action = `write to ${topic.name}`;
  }

  /**
   * Writes a sample. C copies it, so the value may be reused afterwards. Blocks this thread while a
   * reliable reader leaves no room. Throws DdsValueError when the value does not fit the type,
   * DdsError with TIMEOUT after `maxBlockingMs` without room.
   */
  write(value: Infer<D>): void {
    const { pointer } = this.#encoder.encode(value);
    const code = loadLibrary().dds.dds_write(this.handle(), pointer);
    check(code, "dds_write", this.#action);
  }

  /** Disposes the instance with this key: it no longer exists. Only the key fields count. */
  dispose(key: Partial<Infer<D>>): void {
    const { pointer } = this.#encoder.encodeKey(key);
    const code = loadLibrary().dds.dds_dispose(this.handle(), pointer);
    check(code, "dds_dispose", `dispose an instance of ${this.topic.name}`);
  }

  /**
   * Unregisters the instance with this key: this writer will not update it any more. Frees it
   * locally.
   */
  unregister(key: Partial<Infer<D>>): void {
    const { pointer } = this.#encoder.encodeKey(key);
    const code = loadLibrary().dds.dds_unregister_instance(this.handle(), pointer);
    check(code, "dds_unregister_instance", `unregister an instance of ${this.topic.name}`);
  }

  /** Sends the samples that write batching has collected. */
  flush(): void {
    check(loadLibrary().dds.dds_write_flush(this.handle()), "dds_write_flush", "flush");
  }

  /**
   * Blocks this thread until every matched reliable reader has all samples. Throws TypeError unless
   * `timeoutMs` is from 0 to 2^40, DdsError with TIMEOUT when that time is over.
   */
  waitForAcknowledgments(timeoutMs: number): void {
    const timeout = nanoseconds("timeoutMs", timeoutMs);
    const code = loadLibrary().dds.dds_wait_for_acks(this.handle(), timeout);
    check(code, "dds_wait_for_acks", `wait for the readers of ${this.topic.name}`);
  }

  /** Number of matching readers: now, and in total. */
  get matched(): MatchedStatus {
    return readMatched(this.handle(), "dds_get_publication_matched_status", this.description);
  }

  /** Readers that request more than this writer offers. */
  get incompatibleQos(): IncompatibleQosStatus {
    return readIncompatible(
      this.handle(),
      "dds_get_offered_incompatible_qos_status",
      this.description,
    );
  }
}
