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

/** A sample of its own, independent of the reader. */
export interface TakenObject<D> {
  readonly value: Infer<D>;
  readonly info: SampleInfo;
}

/** A sample in place: both are views, and the same ones for each sample. */
export interface SampleView<D> {
  readonly value: Infer<D>;
  readonly info: SampleInfo;
}

/** Looks at a sample; it must not be async, because the next sample overwrites both views. */
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
      // It would keep the process alive.
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
   * Calls `callback` on this thread when samples have arrived since the last call, when a take has
   * left some, and once at the start. Arrivals in quick succession are one call. Readers keep the
   * process alive until they are closed. What a callback throws is an uncaught exception; the other
   * callbacks and the next wake-ups are not held up. Throws TypeError once wait() has been called.
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
   * Yields samples in place as they come, and blocks this thread in between: for a Worker, which it
   * wakes sooner than an event loop wakes. It ends when none has come for `timeoutMs` (0 to 2^40)
   * or the reader is closed; what a loop leaves when it breaks off is yielded by the next. A sample
   * that cannot be read goes to `onBad`, or is thrown without it. Throws TypeError while onData()
   * has a callback.
   */
  wait(timeoutMs: number, onBad?: (error: Error) => void): IterableIterator<SampleView<D>> {
    const timeout = nanoseconds("timeoutMs", timeoutMs);
    const waitset = this.#startWaiting();
    const batch = this.#batch;
    // One for all samples, as the views are.
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
      // Saves the receiving thread a call for each sample.
      const code = loadLibrary().dds.dds_set_listener(handle, null);
      check(code, "dds_set_listener", `wait for samples of ${this.topic.name}`);
    }
    return this.#waitset;
  }

  /**
   * For a visitor: makes an object of the sample at hand, like those of takeObjects(). Throws
   * TypeError outside of a visit.
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
        // At first there is what an iterator of wait() has left.
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
   * Finds the fields of the sample at hand; false when it cannot be read, and `onBad` has been
   * told.
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
    // Samples lie in memory of the domain, which may end with this reader.
    this.#batch.drop();
    this.#waitset?.close();
  }

  protected override afterDelete(): void {
    // dds_delete has waited for callbacks under way, so no thread of DDS writes any more.
    this.#listener.close();
  }

  /** How many writers match: now, and ever. */
  get matched(): MatchedStatus {
    return readMatched(this.handle(), "dds_get_subscription_matched_status", this.description);
  }

  /** Writers that offer less than this reader asks for. */
  get incompatibleQos(): IncompatibleQosStatus {
    return readIncompatible(
      this.handle(),
      "dds_get_requested_incompatible_qos_status",
      this.description,
    );
  }

  /** How many samples of matched writers never arrived, ever. */
  get samplesLost(): number {
    return readTotal(this.handle(), "dds_get_sample_lost_status", this.description);
  }

  /** How many samples were refused for want of room, ever. */
  get samplesRejected(): number {
    return readTotal(this.handle(), "dds_get_sample_rejected_status", this.description);
  }

  /** How many times an instance had no sample for as long as `deadlineMs`, ever. */
  get deadlinesMissed(): number {
    return readTotal(this.handle(), "dds_get_requested_deadline_missed_status", this.description);
  }

  /** How many matched writers are alive, and how many have not said so within their lease. */
  get liveliness(): LivelinessStatus {
    return readLiveliness(this.handle(), this.description);
  }
}
