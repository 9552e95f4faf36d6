/** The rows of the store: spans and log records, with their origins stored once. */

/** The sender of an item: resource and scope, both as OTLP/JSON text. */
export interface Origin {
  readonly service: string;
  /** `{"attributes":[…]}` */
  readonly resource: string;
  /** `{"name":…,"version":…}` */
  readonly scope: string;
}

export interface SpanRow {
  readonly origin: Origin;
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** 16 hexadecimal digits, or empty for a root. */
  readonly parentId: string;
  readonly name: string;
  /** OTLP SpanKind, 0 to 5. */
  readonly kind: number;
  /** OTLP status code: 0 unset, 1 ok, 2 error. */
  readonly status: number;
  readonly startNs: bigint;
  readonly durationNs: bigint;
  /** OTLP/JSON list of attributes. */
  readonly attributes: string;
  /** The remaining fields as the inside of an OTLP/JSON object, without braces; usually empty. */
  readonly rest: string;
}

export interface LogRow {
  /** Stream labels as JSON text with sorted keys: the stream's identity. */
  readonly labels: string;
  readonly timeNs: bigint;
  readonly line: string;
  /** Structured metadata as JSON text of an object with string values. */
  readonly metadata: string;
}
