/** What the bus knows of the message that a subscriber visits, beside the message itself. */
import { type Context, ROOT_CONTEXT } from "@opentelemetry/api";
import type { TopicName } from "../contract/topology.ts";
import type { Message, TraceContext } from "./message.ts";
import { contextOf } from "./trace-context.ts";

/** Like the message it is a view: the next message overwrites it. */
export interface Arrival<T extends TopicName> {
  /**
   * What the message's trace context says, and the root context if it says nothing valid. It is
   * parsed when it is read, so read it before the visit ends; the context itself may be kept.
   */
  readonly parent: Context;
  /** When the message was taken off DDS, milliseconds of the process's monotonic clock. */
  readonly takenMs: number;
  /** Makes an object of the message that may be kept. */
  copy(): Message<T>;
}

/** The one arrival of a subscription. */
export class CurrentArrival<T extends TopicName> implements Arrival<T> {
  takenMs = 0;
  readonly copy: () => Message<T>;
  #trace: TraceContext | undefined;
  #parent: Context = ROOT_CONTEXT;
  #parentOf = "";

  /** `copy` makes an object of the message that is being visited. */
  constructor(copy: () => Message<T>) {
    this.copy = copy;
  }

  /** Shows the arrival of another message, whose trace context is `trace`. */
  show(trace: TraceContext): void {
    this.#trace = trace;
  }

  get parent(): Context {
    if (this.#trace === undefined) return ROOT_CONTEXT;
    const { traceparent, tracestate } = this.#trace;
    // All detections of one scan carry the same context, one after the other.
    if (tracestate === "" && traceparent === this.#parentOf) return this.#parent;
    this.#parent = contextOf({ traceparent, tracestate });
    this.#parentOf = tracestate === "" ? traceparent : "";
    return this.#parent;
  }
}
