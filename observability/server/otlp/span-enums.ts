/** The two enumerations of spans, with names in the order of OTLP's numbers. */

/** As in TraceQL. */
export const SPAN_KINDS = [
  "unspecified",
  "internal",
  "server",
  "client",
  "producer",
  "consumer",
] as const;
export const STATUSES = ["unset", "ok", "error"] as const;

/** The enumerator of a span kind in OTLP/JSON. */
export const spanKindName = (kind: string): string => `SPAN_KIND_${kind.toUpperCase()}`;
/** The enumerator of a status code in OTLP/JSON. */
export const statusCodeName = (status: string): string => `STATUS_CODE_${status.toUpperCase()}`;
