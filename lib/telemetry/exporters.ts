/** OTLP exporters that try a failed batch again, count what they lose in the end, and say so once. */
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { type Clock, systemClock } from "../base/clock.ts";

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

/** Pauses before a failed batch is sent again; after the last one it is lost. */
const RETRY_PAUSES_MS = [500, 1000, 2000, 4000] as const;
/** Batches that may wait for another try; more are lost at once, so that memory stays bounded. */
const MOST_WAITING = 6;

/**
 * Wraps an exporter. OTLP over gRPC does not send a failed batch again by itself; a receiver that starts a moment after its
 * senders would miss their first words.
 */
export function watched<T, E extends Exporter<T>>(
  exporter: E,
  signal: SignalName,
  sizeOf: (items: T) => number,
  observer: ExportObserver,
  clock: Clock = systemClock,
): E {
  const send = exporter.export.bind(exporter);
  let failing = false;
  let waiting = 0;
  let droppedTotal = 0;

  const attempt = (items: T): Promise<ExportResult> =>
    new Promise((resolve) => send(items, resolve));

  const lose = (items: T): void => {
    droppedTotal += sizeOf(items);
    observer.dropped(signal, sizeOf(items));
  };

  const note = ({ code, error }: ExportResult): boolean => {
    const failed = code === ExportResultCode.FAILED;
    if (failed && !failing) {
      observer.failing(signal, error?.message ?? "no reason given", droppedTotal);
    }
    if (!failed && failing) observer.resumed(signal, droppedTotal);
    failing = failed;
    return !failed;
  };

  const tryAgain = async (items: T): Promise<void> => {
    waiting++;
    try {
      for (const pauseMs of RETRY_PAUSES_MS) {
        await clock.sleep(pauseMs);
        if (note(await attempt(items))) return;
      }
      lose(items);
    } finally {
      waiting--;
    }
  };

  const watch = (items: T, done: (result: ExportResult) => void): void => {
    send(items, (result) => {
      if (!note(result)) {
        if (waiting < MOST_WAITING) void tryAgain(items);
        else lose(items);
      }
      // The batch is this wrapper's now, whatever becomes of it.
      done({ code: ExportResultCode.SUCCESS });
    });
  };
  return Object.assign(exporter, { export: watch });
}
