/** A reader of a topic. */
import { Batch, MAX_BATCH } from "./batch.ts";
import { DataListener, type Subscription } from "./data-listener.ts";
import { Entity } from "./entity.ts";
import { check } from "./error.ts";
import { loadLibrary } from "./library.ts";
import { nanoseconds, type Qos, withQos } from "./qos.ts";
import type { SampleInfo } from "./sample-info.ts";
import {
  type IncompatibleQosStatus,
  type LivelinessStatus,
  type MatchedStatus,
  readIncompatible,
  readLiveliness,
  readMatched,
  readTotal,
} from "./status.ts";
import type { Topic } from "./topic.ts";
import type { Infer, StructDecl } from "./types.ts";
import { Waitset } from "./waitset.ts";

/** A copy of a sample, independent of the reader. */
export interface TakenObject<D> {
  readonly value: Infer<D>;
  readonly info: SampleInfo;
}

/** A sample in place: both are views, and every sample uses the same two. */
export interface SampleView<D> {
  readonly value: Infer<D>;
  readonly info: SampleInfo;
}

/** Reads a sample; it must not be async, because the next sample overwrites both views. */
export type Visitor<D> = (sample: Infer<D>, info: SampleInfo) => void;

type OnBad = ((error: Error) => void) | undefined;

const AsyncFunction: unknown = (async () => {}).constructor;
const isPromise = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "then" in value;

/**
 * Reads a topic on the thread that made it. Its methods throw DdsClosedError after close(),
 * DdsError when Cyclone refuses.
 */
export class Reader<D extends StructDecl = StructDecl> extends Entity {
  readonly topic: Topic<D>;
  readonly #participant: Entity;
  readonly #batch: Batch;
  readonly #view: SampleView<D>;
  readonly #listener: DataListener;
  #waitset: Waitset | undefined;
  #taking = false;

  /** @internal Use Participant.reader(). */
  constructor(participant: Entity, participantHandle: number, topic: Topic<D>, qos: Qos) {
    const topicHandle = Entity.handleOf(topic);
    const batch = new Batch(topic.type, `take from ${topic.name}`);
    const listener = new DataListener();
    let handle: number;
    try {
      const code = withQos("reader", qos, (pointer) =>
        loadLibrary().dds.dds_create_reader(
          participantHandle,
          topicHandle,
          pointer,
          listener.pointer,
        ),
      );
      handle = check(code, "dds_create_reader", `create a reader of ${topic.name}`);
    } catch (error) {
      // An open listener would keep the process alive.
      listener.close();
      throw error;
    }
    super(handle, `reader of ${topic.name}`, participant);
    this.topic = topic;
    this.#participant = participant;
    this.#batch = batch;
    this.#view = { value: batch.decoder.view as Infer<D>, info: batch.info };
    this.#listener = listener;
  }

  /**
   * Calls `callback` on this thread when samples have arrived since the last call, when a take left
   * samples, and once at the start. Arrivals in quick succession cause one call. Readers keep the
   * process alive until they are closed. An error in a callback is an uncaught exception; other
   * callbacks and later wake-ups still happen. Throws TypeError after wait() was called.
   */
  onData(callback: () => void): Subscription {
    this.handle();
    if (this.#waitset !== undefined) {
      throw new TypeError(`Cannot call back for ${this.topic.name}: its reader waits for samples`);
    }
    return this.#listener.add(callback);
  }

  /**
   * Takes up to `max` samples (a whole number, or Infinity) and visits each one. `sample` and
   * `info` are views that the next sample overwrites: read them, and copy what is to be kept.
   * Returns the number of samples taken.
   *
   * A visitor that throws ends the visit; what it had not seen of the batch at hand is lost. A
   * sample that cannot be read goes to `onBad`, or is thrown without it. A visitor that closes the
   * reader is not called again. One that returns a promise, or is async, is a TypeError.
   */
  take(visit: Visitor<D>, max = Infinity, onBad?: (error: Error) => void): number {
    if (visit instanceof (AsyncFunction as () => void)) this.#refusePromise();
    const { value, info } = this.#view;
    const call = visit as (sample: Infer<D>, info: SampleInfo) => unknown;
    return this.#takeEach(
      () => {
        if (isPromise(call(value, info))) this.#refusePromise();
      },
      max,
      onBad,
    );
  }

  #refusePromise(): never {
    throw new TypeError(
      `Cannot take from ${this.topic.name}: the visitor must not return a promise, because the next sample overwrites its views`,
    );
  }

  /**
   * Takes up to `max` samples as plain objects, which belong to the caller. Without data
   * (`info.valid` false) only the key fields are set. A sample that its type cannot hold (an enum's
   * unknown value) goes to `onBad`, or is thrown without it.
   */
  takeObjects(max = Infinity, onBad?: (error: Error) => void): TakenObject<D>[] {
    const taken: TakenObject<D>[] = [];
    const keep = (): void => {
      const { valid, instanceState, sampleState, viewState, sourceUnixMs, sampleRank } =
        this.#view.info;
      const info = { valid, instanceState, sampleState, viewState, sourceUnixMs, sampleRank };
      try {
        taken.push({ value: this.copy(), info });
      } catch (error) {
        if (onBad === undefined) throw error;
        onBad(error as Error);
      }
    };
    this.#takeEach(keep, max, onBad);
    return taken;
  }

  /**
   * Yields samples in place, and blocks this thread between them. Use it in a Worker: it wakes
   * sooner than an event loop. It ends when no sample has arrived for `timeoutMs` (0 to 2^40) or
   * when the reader is closed. If a loop breaks off, the next one yields the remaining samples. A
   * sample that cannot be read goes to `onBad`, or is thrown if there is none. Throws TypeError
   * while onData() has a callback.
   */
  wait(timeoutMs: number, onBad?: (error: Error) => void): IterableIterator<SampleView<D>> {
    const timeout = nanoseconds("timeoutMs", timeoutMs);
    const waitset = this.#startWaiting();
    const batch = this.#batch;
    // One result object for all samples, like the views.
    const found: IteratorYieldResult<SampleView<D>> = { done: false, value: this.#view };
    let isFull = true;
    const next = (): IteratorResult<SampleView<D>, undefined> => {
      while (!this.closed) {
        while (batch.next()) if (this.#open(onBad)) return found;
        if (!isFull && !waitset.wait(timeout)) break;
        const count = batch.take(this.handle(), MAX_BATCH);
        isFull = count === MAX_BATCH;
      }
      batch.decoder.forget();
      return { done: true, value: undefined };
    };
    return {
      next,
      [Symbol.iterator]() {
        return this;
      },
    };
  }

  #startWaiting(): Waitset {
    const handle = this.handle();
    if (this.#listener.isInUse) {
      throw new TypeError(
        `Cannot wait for samples of ${this.topic.name}: onData() has a callback for them`,
      );
    }
    if (this.#waitset === undefined) {
      this.#waitset = new Waitset(Entity.handleOf(this.#participant), handle, this.description);
      // Without a listener the receiving thread saves a call for each sample.
      const code = loadLibrary().dds.dds_set_listener(handle, null);
      check(code, "dds_set_listener", `wait for samples of ${this.topic.name}`);
    }
    return this.#waitset;
  }

  /**
   * For use in a visitor: copies the current sample into an object like those of takeObjects().
   * Throws TypeError outside of a visit.
   */
  copy(): Infer<D> {
    this.handle();
    const { decoder, info } = this.#batch;
    if (!decoder.isShowing) {
      throw new TypeError(`Cannot copy a sample of ${this.topic.name}: none is being visited`);
    }
    return decoder.object(!info.valid) as Infer<D>;
  }

  #takeEach(visit: () => void, max: number, onBad: OnBad): number {
    this.handle();
    if (max !== Infinity && (!Number.isInteger(max) || max < 0)) {
      throw new TypeError(
        `Cannot take from ${this.topic.name}: max must be a whole number from 0 or Infinity, but is ${max}`,
      );
    }
    if (this.#taking) throw new TypeError(`Cannot take from ${this.topic.name} while visiting it`);
    this.#taking = true;
    const batch = this.#batch;
    let total = 0;
    let mayHaveLeft = false;
    try {
      for (let isLast = false; ;) {
        // First, the samples that an iterator of wait() left.
        while (total < max && batch.next()) {
          total++;
          if (this.#open(onBad)) visit();
        }
        if (isLast || total === max || this.closed) break;
        const wanted = Math.min(MAX_BATCH, max - total);
        mayHaveLeft = batch.take(this.handle(), wanted) === wanted;
        isLast = !mayHaveLeft;
      }
    } catch (error) {
      batch.drop();
      throw error;
    } finally {
      this.#taking = false;
      batch.decoder.forget();
      this.#listener.took(total, mayHaveLeft);
    }
    return total;
  }

  /**
   * Locates the fields of the current sample; returns false after it has called `onBad` for one
   * that cannot be read.
   */
  #open(onBad: OnBad): boolean {
    try {
      this.#batch.open();
      return true;
    } catch (error) {
      if (onBad === undefined) throw error;
      onBad(error as Error);
      return false;
    }
  }

  protected override beforeDelete(): void {
    // Samples are in memory of the domain, which may end with this reader.
    this.#batch.drop();
    this.#waitset?.close();
  }

  protected override afterDelete(): void {
    // dds_delete() waited for running callbacks, so no DDS thread uses the listener any more.
    this.#listener.close();
  }

  /** Number of matching writers: now, and in total. */
  get matched(): MatchedStatus {
    return readMatched(this.handle(), "dds_get_subscription_matched_status", this.description);
  }

  /** Writers that offer less than this reader requests. */
  get incompatibleQos(): IncompatibleQosStatus {
    return readIncompatible(
      this.handle(),
      "dds_get_requested_incompatible_qos_status",
      this.description,
    );
  }

  /** Number of samples of matched writers that never arrived. */
  get samplesLost(): number {
    return readTotal(this.handle(), "dds_get_sample_lost_status", this.description);
  }

  /** Number of samples that were refused by resource limits. */
  get samplesRejected(): number {
    return readTotal(this.handle(), "dds_get_sample_rejected_status", this.description);
  }

  /** How often an instance had no sample for `deadlineMs`. */
  get deadlinesMissed(): number {
    return readTotal(this.handle(), "dds_get_requested_deadline_missed_status", this.description);
  }

  /** How many matched writers are alive, and how many missed their lease. */
  get liveliness(): LivelinessStatus {
    return readLiveliness(this.handle(), this.description);
  }
}
