/**
 * Wraps OTLP exporters: keeps batches that cannot be sent, reconnects in an outage, counts losses,
 * and reports an outage once.
 */
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { type MonotonicClock, systemClock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";

export type SignalName = "traces" | "logs" | "metrics";

/** Called when exports of a signal start to fail, lose items, and succeed again. */
export interface ExportObserver {
  failing(signal: SignalName, reason: string, droppedTotal: number): void;
  dropped(signal: SignalName, items: number): void;
  resumed(signal: SignalName, droppedTotal: number): void;
}

interface Exporter<T> {
  export(items: T, done: (result: ExportResult) => void): void;
  shutdown(): Promise<void>;
  forceFlush?(): Promise<void>;
}

export interface WatchOptions<T, E> {
  readonly signal: SignalName;
  /**
   * Creates an exporter with its own connection, the `connection`th. After a failure a gRPC
   * connection may wait for two minutes before its next attempt, and the OTLP exporters cannot
   * configure that; a new connection tries at once.
   */
  readonly make: (connection: number) => E;
  readonly sizeOf: (items: T) => number;
  readonly observer: ExportObserver;
  /**
   * Maximum number of items that wait for the end of an outage; further ones are dropped, so that
   * memory stays bounded. The oldest are kept because the beginning of an outage explains it. 0 for
   * a signal whose next batch repeats everything.
   */
  readonly maxKept: number;
  /** Called with the number of items of each batch that leaves the queue. */
  readonly onTaken?: (items: number) => void;
  readonly clock?: MonotonicClock;
}

/** Pauses between attempts to send the oldest waiting batch; the last pause repeats. */
const RETRY_PAUSES_MS = [500, 1000, 2000, 4000, 5000] as const;
/** Age at which a failing connection is replaced. */
const RECONNECT_INTERVAL_MS = 10_000;
/**
 * gRPC codes after which OTLP allows a retry; after any other, the receiver would refuse the batch
 * again.
 */
const TRANSIENT_CODES: ReadonlySet<unknown> = new Set([1, 4, 10, 11, 14, 15]);

/**
 * Adds retries to an exporter. OTLP over gRPC does not send a failed batch again: a receiver that
 * starts after its senders would miss their first batches, and one that was down would never get
 * the missed ones.
 */
export function watched<T, E extends Exporter<T>>(options: WatchOptions<T, E>): E {
  const first = options.make(1);
  const sender = new Sender(options, {
    export: first.export.bind(first),
    shutdown: first.shutdown.bind(first),
  });
  return Object.assign(first, {
    export: (items: T, done: (result: ExportResult) => void) => sender.take(items, done),
    shutdown: () => sender.shutdown(),
  });
}

class Sender<T, E extends Exporter<T>> {
  readonly #options: WatchOptions<T, E>;
  readonly #clock: MonotonicClock;
  #exporter: Exporter<T>;
  #connections = 1;
  #connectedMs: number;
  #failing = false;
  /** Batches that could not be sent, the oldest first. */
  readonly #kept: T[] = [];
  #keptItems = 0;
  #isRetrying = false;
  /** The current attempt to send the oldest kept batch. */
  #trying: Promise<boolean> | undefined;
  #isClosed = false;
  #droppedTotal = 0;

  constructor(options: WatchOptions<T, E>, first: Exporter<T>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#exporter = first;
    this.#connectedMs = this.#clock.monotonicMs();
  }

  /**
   * Sends a batch, or keeps it while others wait. Always calls `done` with success, so the caller
   * does not retry.
   */
  take(items: T, done: (result: ExportResult) => void): void {
    this.#options.onTaken?.(this.#options.sizeOf(items));
    if (this.#failing && this.#isRetrying) {
      this.#keep(items);
      done({ code: ExportResultCode.SUCCESS });
      return;
    }
    // The batch became full between two messages: the messages that already wait are processed
    // first.
    setImmediate(() => void this.#sendNow(items, done));
  }

  /** Tries once more to send the kept batches, then closes the connection. */
  async shutdown(): Promise<void> {
    this.#isClosed = true;
    while (this.#kept.length > 0 && (await this.#sendFirst())) {
      // Sends one batch after the other until one fails.
    }
    await this.#exporter.shutdown();
  }

  async #sendNow(items: T, done: (result: ExportResult) => void): Promise<void> {
    if ((await this.#send(items)) === "failed") this.#keep(items);
    done({ code: ExportResultCode.SUCCESS });
  }

  async #send(items: T): Promise<"sent" | "failed" | "refused"> {
    const { code, error } = await new Promise<ExportResult>((resolve) =>
      this.#exporter.export(items, resolve),
    );
    const failed = code === ExportResultCode.FAILED;
    this.#note(failed, error);
    if (!failed) return "sent";
    if (isRefusal(error)) {
      this.#lose(items);
      return "refused";
    }
    this.#reconnect();
    return "failed";
  }

  #note(failed: boolean, error: Error | undefined): void {
    const { observer, signal } = this.#options;
    if (failed && !this.#failing) {
      observer.failing(signal, error?.message ?? "no reason given", this.#droppedTotal);
    }
    if (!failed && this.#failing) observer.resumed(signal, this.#droppedTotal);
    this.#failing = failed;
  }

  #keep(items: T): void {
    const size = this.#options.sizeOf(items);
    if (this.#keptItems + size > this.#options.maxKept) {
      this.#lose(items);
      return;
    }
    this.#kept.push(items);
    this.#keptItems += size;
    if (!this.#isRetrying) void this.#retry();
  }

  /** Sends the kept batches one by one, with a pause after each failure. */
  async #retry(): Promise<void> {
    this.#isRetrying = true;
    let failures = 0;
    while (this.#kept.length > 0 && !this.#isClosed) {
      if (this.#failing) {
        const last = RETRY_PAUSES_MS.length - 1;
        await this.#clock.sleep(RETRY_PAUSES_MS[Math.min(failures, last)] ?? 0);
        if (this.#isClosed) break;
      }
      failures = (await this.#sendFirst()) ? 0 : failures + 1;
    }
    this.#isRetrying = false;
  }

  /** Returns whether the oldest kept batch is finished: sent, or refused for good. */
  #sendFirst(): Promise<boolean> {
    this.#trying ??= this.#tryFirst().finally(() => (this.#trying = undefined));
    return this.#trying;
  }

  async #tryFirst(): Promise<boolean> {
    const [items] = this.#kept;
    if (items === undefined) return true;
    if ((await this.#send(items)) === "failed") return false;
    this.#kept.shift();
    this.#keptItems -= this.#options.sizeOf(items);
    return true;
  }

  #lose(items: T): void {
    const lost = this.#options.sizeOf(items);
    this.#droppedTotal += lost;
    this.#options.observer.dropped(this.#options.signal, lost);
  }

  #reconnect(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#connectedMs < RECONNECT_INTERVAL_MS) return;
    const old = this.#exporter;
    this.#exporter = this.#options.make(++this.#connections);
    this.#connectedMs = nowMs;
    old.shutdown().catch((error: unknown) => {
      this.#options.observer.failing(this.#options.signal, messageOf(error), this.#droppedTotal);
    });
  }
}

/**
 * Whether the receiver will never accept this batch. An error without a gRPC code may be temporary.
 */
function isRefusal(error: Error | undefined): boolean {
  const code: unknown = (error as { readonly code?: unknown } | undefined)?.code;
  return typeof code === "number" && !TRANSIENT_CODES.has(code);
}

/**
 * Counts the items between a batch processor's entry and its exporter. The SDK silently drops items
 * when its queue is full. Behind a gate of the same size its queue never overflows, and each drop
 * is counted.
 */
export class QueueGate {
  readonly #limit: number;
  readonly #onDrop: () => void;
  #waiting = 0;

  /** `onDrop` is called for each item beyond `limit` waiting ones. */
  constructor(limit: number, onDrop: () => void) {
    this.#limit = limit;
    this.#onDrop = onDrop;
  }

  /** Returns whether one more item may enter the queue. */
  admit(): boolean {
    if (this.#waiting >= this.#limit) {
      this.#onDrop();
      return false;
    }
    this.#waiting++;
    return true;
  }

  /** Called when a batch has left the queue. */
  taken(items: number): void {
    this.#waiting -= items;
  }
}
