/**
 * Carries a trace over a DDS hop, as W3C Trace Context in the message. The fields of a message's
 * `trace` have the names of the W3C headers, so the propagator can use it as its carrier.
 */
import {
  type Context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  type Span,
  trace,
} from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import type { TraceContext } from "./message.ts";

const propagator = new W3CTraceContextPropagator();

/** The trace context for a message that is written inside `span`. */
export function traceOf(span: Span): TraceContext {
  const carrier = { traceparent: "", tracestate: "" };
  propagator.inject(trace.setSpan(ROOT_CONTEXT, span), carrier, defaultTextMapSetter);
  return carrier;
}

/**
 * The context that a received message continues. The input is untrusted: an invalid traceparent
 * starts a new trace, and invalid members of the tracestate are dropped.
 */
export function contextOf(carrier: TraceContext): Context {
  return propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter);
}
