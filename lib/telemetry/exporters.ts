/** OTLP exporters that try a failed batch again, connect anew after an outage, count what they lose in the end, and say so once. */
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { type Clock, systemClock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";

export type SignalName = "traces" | "logs" | "metrics";

/** Told when export of a signal begins to fail, loses items, and works again. */
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
   * Makes an exporter with a connection of its own, the `connection`th. A gRPC connection that failed often waits up to two
   * minutes before it tries again, and OTLP's exporters do not let one say less: a new one tries at once.
   */
  readonly make: (connection: number) => E;
  readonly sizeOf: (items: T) => number;
  readonly observer: ExportObserver;
  /** Called with the number of items of each batch that comes out of the queue. */
  readonly onTaken?: (items: number) => void;
  readonly clock?: Clock;
}

/** Pauses before a failed batch is sent again; after the last one it is lost. */
const RETRY_PAUSES_MS = [500, 1000, 2000, 4000] as const;
/** Batches that may wait for another try; more are lost at once, so that memory stays bounded. */
const MOST_WAITING = 24;
/** How long a connection is given before another takes its place. */
const RECONNECT_INTERVAL_MS = 10_000;

/**
 * An exporter that is watched. OTLP over gRPC does not send a failed batch again by itself; a receiver that starts a moment
 * after its senders would miss their first words.
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
  readonly #clock: Clock;
  #exporter: Exporter<T>;
  #connections = 1;
  #connectedMs: number;
  #failing = false;
  #waiting = 0;
  #droppedTotal = 0;

  constructor(options: WatchOptions<T, E>, first: Exporter<T>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#exporter = first;
    this.#connectedMs = this.#clock.nowMs();
  }

  /** Sends a batch. It is this object's from now on, whatever becomes of it. */
  take(items: T, done: (result: ExportResult) => void): void {
    this.#options.onTaken?.(this.#options.sizeOf(items));
    this.#exporter.export(items, (result) => {
      if (!this.#note(result)) {
        if (this.#waiting < MOST_WAITING) void this.#tryAgain(items);
        else this.#lose(items);
      }
      done({ code: ExportResultCode.SUCCESS });
    });
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  async #tryAgain(items: T): Promise<void> {
    this.#waiting++;
    try {
      for (const pauseMs of RETRY_PAUSES_MS) {
        await this.#clock.sleep(pauseMs);
        const sent = new Promise<ExportResult>((resolve) => this.#exporter.export(items, resolve));
        if (this.#note(await sent)) return;
      }
      this.#lose(items);
      this.#reconnect();
    } finally {
      this.#waiting--;
    }
  }

  #note({ code, error }: ExportResult): boolean {
    const { observer, signal } = this.#options;
    const failed = code === ExportResultCode.FAILED;
    if (failed && !this.#failing) {
      observer.failing(signal, error?.message ?? "no reason given", this.#droppedTotal);
    }
    if (!failed && this.#failing) observer.resumed(signal, this.#droppedTotal);
    this.#failing = failed;
    return !failed;
  }

  #lose(items: T): void {
    const lost = this.#options.sizeOf(items);
    this.#droppedTotal += lost;
    this.#options.observer.dropped(this.#options.signal, lost);
  }

  #reconnect(): void {
    const nowMs = this.#clock.nowMs();
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
 * Counts what waits between a batch processor's door and its exporter. The SDK drops what its queue cannot hold without a
 * word to anyone; with this gate before it, of the same size, the queue never overflows and each drop is counted.
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

  /** Whether one more item may join the queue. */
  admit(): boolean {
    if (this.#waiting >= this.#limit) {
      this.#onDrop();
      return false;
    }
    this.#waiting++;
    return true;
  }

  /** Items left the queue as a batch. */
  taken(items: number): void {
    this.#waiting -= items;
  }
}
