/** A reader of a topic. */
import { Decoder } from "./decode.ts";
import { Entity } from "./entity.ts";
import { check } from "./error.ts";
import { loadLibrary } from "./library.ts";
import { Block, type Pointer } from "./memory.ts";
import { type Qos, withQos } from "./qos.ts";
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
import { Wake } from "./wake.ts";

export type InstanceState = "ALIVE" | "NOT_ALIVE_DISPOSED" | "NOT_ALIVE_NO_WRITERS";

/** What DDS says about a sample. The object that a visitor gets is used again for the next sample. */
export interface SampleInfo {
  /** Whether there is data; if not, only the key fields may be read. */
  readonly valid: boolean;
  readonly instanceState: InstanceState;
  readonly sampleState: "READ" | "NOT_READ";
  readonly viewState: "NEW" | "OLD";
  /** When it was written, milliseconds since the Unix epoch. */
  readonly sourceUnixMs: number;
  /** How many samples of the same instance follow it among those taken together, 256 at most. */
  readonly sampleRank: number;
}

/** A sample of its own, independent of the reader. */
export interface TakenObject<D> {
  readonly value: Infer<D>;
  readonly info: SampleInfo;
}

/** Stops the wake-ups of one callback when it is disposed, any number of times. */
export type Subscription = Disposable;

/** Most samples in one call into C. */
const BATCH = 256;
/** dds_sample_info_t. */
const INFO = {
  sampleState: 0,
  viewState: 4,
  instanceState: 8,
  valid: 12,
  sourceTime: 16,
  sampleRank: 48,
  bytes: 64,
};
/** Where native.c puts the first sample, and how far behind a multiple of 8 the others. */
const FIRST_SAMPLE = 4;
const SAMPLE_READ = 1;
const VIEW_NEW = 4;
const INSTANCE_ALIVE = 16;
const INSTANCE_DISPOSED = 32;
const ANY_STATE = 0;

/** Reads dds_sample_info_t in place. */
class Info implements SampleInfo {
  readonly #view: DataView;
  #at = 0;

  constructor(view: DataView) {
    this.#view = view;
  }

  show(at: number): void {
    this.#at = at;
  }

  get valid(): boolean {
    return this.#view.getUint8(this.#at + INFO.valid) !== 0;
  }

  get instanceState(): InstanceState {
    const state = this.#view.getUint32(this.#at + INFO.instanceState, true);
    if (state === INSTANCE_ALIVE) return "ALIVE";
    return state === INSTANCE_DISPOSED ? "NOT_ALIVE_DISPOSED" : "NOT_ALIVE_NO_WRITERS";
  }

  get sampleState(): "READ" | "NOT_READ" {
    const state = this.#view.getUint32(this.#at + INFO.sampleState, true);
    return state === SAMPLE_READ ? "READ" : "NOT_READ";
  }

  get viewState(): "NEW" | "OLD" {
    return this.#view.getUint32(this.#at + INFO.viewState, true) === VIEW_NEW ? "NEW" : "OLD";
  }

  get sourceUnixMs(): number {
    const low = this.#view.getUint32(this.#at + INFO.sourceTime, true);
    const high = this.#view.getInt32(this.#at + INFO.sourceTime + 4, true);
    return (high * 0x1_0000_0000 + low) / 1e6;
  }

  get sampleRank(): number {
    return this.#view.getUint32(this.#at + INFO.sampleRank, true);
  }
}

/** Calls `callback`; what it throws is thrown from a task of its own, so that nothing else is held up. */
function callSafely(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Reads a topic on the thread that made it. Its methods throw DdsClosedError after close(), DdsError when Cyclone refuses. */
export class Reader<D extends StructDecl = StructDecl> extends Entity {
  readonly topic: Topic<D>;
  readonly #decoder: Decoder;
  readonly #samples = new Block(BATCH * 8);
  readonly #infos = new Block(BATCH * INFO.bytes);
  readonly #sizes = new Block(BATCH * 4);
  readonly #info = new Info(this.#infos.view);
  readonly #wake: Wake;
  readonly #listener: Pointer;
  readonly #callbacks: Set<() => void>;
  /** What a failed take could not do: made once, because a text made for each take would be garbage. */
  readonly #action: string;
  #taking = false;
  /** The batch at hand: from `#next` to `#count` are samples that have not been copied and belong to C. */
  #next = 0;
  #count = 0;

  /** @internal Use Participant.reader(). */
  constructor(participant: Entity, participantHandle: number, topic: Topic<D>, qos: Qos) {
    const { dds, native } = loadLibrary();
    const topicHandle = Entity.handleOf(topic);
    const callbacks = new Set<() => void>();
    const wake = new Wake(() => callbacks.forEach(callSafely));
    const listener = Number(dds.dds_create_listener(wake.pointer)) as Pointer;
    dds.dds_lset_data_available(listener, Number(native.wake_on_data()) as Pointer);
    const handle = withQos(qos, (pointer) =>
      dds.dds_create_reader(participantHandle, topicHandle, pointer, listener),
    );
    if (handle < 0) {
      dds.dds_delete_listener(listener);
      wake.close();
    }
    check(handle, "dds_create_reader", `create a reader of ${topic.name}`);
    super(handle, `reader of ${topic.name}`, participant);
    this.topic = topic;
    this.#decoder = new Decoder(topic.type);
    this.#action = `take from ${topic.name}`;
    this.#wake = wake;
    this.#listener = listener;
    this.#callbacks = callbacks;
  }

  /**
   * Calls `callback` on this thread when samples have arrived since the last call, and once at the start.
   * Arrivals in quick succession are one call: take everything. Readers keep the process alive until they are closed.
   * What a callback throws is an uncaught exception; the other callbacks and the next wake-ups are not held up.
   */
  onData(callback: () => void): Subscription {
    this.handle();
    this.#callbacks.add(callback);
    this.#wake.signal();
    return { [Symbol.dispose]: () => void this.#callbacks.delete(callback) };
  }

  /**
   * Takes up to `max` samples (a whole number, or Infinity) and visits each one. `sample` and `info` are views that the next sample
   * overwrites: read them, and copy what is to be kept. Returns the number of samples taken.
   *
   * A visitor that throws ends the visit; what it had not seen of the batch at hand is lost. A sample that cannot be
   * read goes to `onBad`, or is thrown without it. A visitor that closes the reader is not called again.
   */
  take(
    visit: (sample: Infer<D>, info: SampleInfo) => void,
    max = Infinity,
    onBad?: (error: Error) => void,
  ): number {
    const view = this.#decoder.view as Infer<D>;
    return this.#takeEach(() => visit(view, this.#info), max, onBad);
  }

  /**
   * Takes up to `max` samples as plain objects, which belong to the caller. Without data (`info.valid` false) only the key fields are set.
   * A sample that its type cannot hold (an enum's unknown value) goes to `onBad`, or is thrown without it.
   */
  takeObjects(max = Infinity, onBad?: (error: Error) => void): TakenObject<D>[] {
    const taken: TakenObject<D>[] = [];
    const keep = (): void => {
      const { valid, instanceState, sampleState, viewState, sourceUnixMs, sampleRank } = this.#info;
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

  /** For a visitor: makes an object of the sample at hand, like those of takeObjects(). Throws TypeError outside of a visit. */
  copy(): Infer<D> {
    if (!this.#taking) {
      throw new TypeError(`Cannot copy a sample of ${this.topic.name}: none is being visited`);
    }
    return this.#decoder.object(!this.#info.valid) as Infer<D>;
  }

  #takeEach(visit: () => void, max: number, onBad: ((error: Error) => void) | undefined): number {
    this.handle();
    if (max !== Infinity && (!Number.isInteger(max) || max < 0)) {
      throw new TypeError(
        `Cannot take from ${this.topic.name}: max must be a whole number from 0 or Infinity, but is ${max}`,
      );
    }
    if (this.#taking) throw new TypeError(`Cannot take from ${this.topic.name} while visiting it`);
    this.#taking = true;
    let total = 0;
    try {
      while (total < max && !this.closed) {
        const wanted = Math.min(BATCH, max - total);
        const count = this.#takeBatch(wanted, visit, onBad);
        total += count;
        if (count < wanted) break;
      }
    } finally {
      this.#taking = false;
      this.#wake.took(total);
    }
    return total;
  }

  #takeBatch(
    wanted: number,
    visit: () => void,
    onBad: ((error: Error) => void) | undefined,
  ): number {
    const count = check(
      loadLibrary().dds.dds_takecdr(
        this.handle(),
        this.#samples.pointer,
        wanted,
        this.#infos.pointer,
        ANY_STATE,
      ),
      "dds_takecdr",
      this.#action,
    );
    this.#next = 0;
    this.#count = count;
    try {
      // A visitor that closes the reader ends this: no samples are left then.
      while (this.#next < this.#count) this.#visitSome(visit, onBad);
    } finally {
      this.#dropRest();
    }
    return count;
  }

  /** Copies as many samples of the batch as there is room for, and visits them. */
  #visitSome(visit: () => void, onBad: ((error: Error) => void) | undefined): void {
    const first = this.#next;
    const copied = this.#unload();
    this.#next += copied;
    let at = FIRST_SAMPLE;
    for (let i = 0; i < copied && !this.closed; i++) {
      const size = this.#sizes.view.getUint32(i * 4, true);
      this.#info.show((first + i) * INFO.bytes);
      if (this.#open(at, size, onBad)) visit();
      at = ((at + size + 7) & ~7) + FIRST_SAMPLE;
    }
  }

  /** Copies the next samples of the batch into the decoder's block, frees them, and returns how many. */
  #unload(): number {
    const { native } = loadLibrary();
    const { sample } = this.#decoder;
    for (;;) {
      const copied = native.unload(
        this.#samples.address(this.#next * 8) as Pointer,
        this.#count - this.#next,
        sample.block.pointer,
        sample.room,
        this.#sizes.pointer,
      );
      if (copied > 0) return copied;
      sample.ensure(this.#sizes.view.getUint32(0, true));
    }
  }

  /** Gives back the samples that have not been copied. */
  #dropRest(): void {
    const { dds } = loadLibrary();
    for (; this.#next < this.#count; this.#next++) {
      dds.ddsi_serdata_unref(this.#samples.getAddress(this.#next * 8));
    }
  }

  protected override beforeDelete(): void {
    // Samples lie in memory of the domain, which may end with this reader.
    this.#dropRest();
  }

  /** Finds the fields of the sample at `start`; false when it cannot be read, and `onBad` has been told. */
  #open(start: number, size: number, onBad: ((error: Error) => void) | undefined): boolean {
    try {
      this.#decoder.open(start, size, !this.#info.valid);
      return true;
    } catch (error) {
      if (onBad === undefined) throw error;
      onBad(error as Error);
      return false;
    }
  }

  protected override afterDelete(): void {
    // dds_delete has waited for callbacks under way, so no thread of DDS writes any more.
    loadLibrary().dds.dds_delete_listener(this.#listener);
    this.#callbacks.clear();
    this.#wake.close();
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
