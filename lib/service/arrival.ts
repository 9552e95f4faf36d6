/** What the bus passes to a subscriber beside a message: time, trace context and copy function. */
import { type Context, ROOT_CONTEXT } from "@opentelemetry/api";
import type { TopicName } from "../contract/topology.ts";
import type { Message, TraceContext } from "./message.ts";
import { contextOf } from "./trace-context.ts";

/** A view like the message: the next message overwrites it. */
export interface Arrival<T extends TopicName> {
  /**
   * The context of the message's trace; the root context if the message has no valid one. It is
   * parsed on access, so read it before the visit ends; the context itself can be kept.
   */
  readonly parent: Context;
  /**
   * Time at which the message was taken from DDS, milliseconds of the process's monotonic clock.
   */
  readonly takenMs: number;
  /** Copies the message into an object that can be kept. */
  copy(): Message<T>;
}

/** The arrival of a subscription, reused for each message. */
export class CurrentArrival<T extends TopicName> implements Arrival<T> {
  takenMs = 0;
  readonly copy: () => Message<T>;
  #trace: TraceContext | undefined;
  #parent: Context = ROOT_CONTEXT;
  #parentOf = "";

  /** `copy` copies the current message into an object. */
  constructor(copy: () => Message<T>) {
    this.copy = copy;
  }

  /** Switches to the next message, with trace context `trace`. */
  show(trace: TraceContext): void {
    this.#trace = trace;
  }

  get parent(): Context {
    if (this.#trace === undefined) return ROOT_CONTEXT;
    const { traceparent, tracestate } = this.#trace;
    // All detections of a scan have the same context and arrive in succession.
    if (tracestate === "" && traceparent === this.#parentOf) return this.#parent;
    this.#parent = contextOf({ traceparent, tracestate });
    this.#parentOf = tracestate === "" ? traceparent : "";
    return this.#parent;
  }
}
