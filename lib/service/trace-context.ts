/**
 * Carries a trace over a DDS hop, as W3C Trace Context in the message. A message's `trace` field
 * has the names of the W3C's headers, so it is the propagator's carrier as it is.
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

/** The trace context that a message written inside `span` carries. */
export function traceOf(span: Span): TraceContext {
  const carrier = { traceparent: "", tracestate: "" };
  propagator.inject(trace.setSpan(ROOT_CONTEXT, span), carrier, defaultTextMapSetter);
  return carrier;
}

/**
 * The context that a received message continues. It comes from outside: an invalid traceparent
 * starts a new trace, and members of the tracestate that break the W3C's rules are left out.
 */
export function contextOf(carrier: TraceContext): Context {
  return propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter);
}
