/** OTLP exporters that count what they lose and say so once, not once per batch. */
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";

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

/**
 * Wraps an exporter: failed batches are counted through `observer`; the first failure and the first success
 * after it are reported. OTLP over gRPC does not send a failed batch again, so what fails is lost.
 */
export function watched<T, E extends Exporter<T>>(
  exporter: E,
  signal: SignalName,
  sizeOf: (items: T) => number,
  observer: ExportObserver,
): E {
  let failing = false;
  let droppedTotal = 0;
  const send = exporter.export.bind(exporter);
  const watch = (items: T, done: (result: ExportResult) => void): void => {
    send(items, (result) => {
      if (result.code === ExportResultCode.FAILED) {
        const lost = sizeOf(items);
        droppedTotal += lost;
        observer.dropped(signal, lost);
        if (!failing) {
          observer.failing(signal, result.error?.message ?? "no reason given", droppedTotal);
        }
        failing = true;
      } else if (failing) {
        failing = false;
        observer.resumed(signal, droppedTotal);
      }
      done(result);
    });
  };
  return Object.assign(exporter, { export: watch });
}
