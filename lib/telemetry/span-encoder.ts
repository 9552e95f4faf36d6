/**
 * Writes OTLP's binary form of each span when it ends, which takes a few microseconds; to encode a
 * whole batch at once would delay the next message. The bytes equal those of OpenTelemetry's own
 * serializer.
 */
import type { AttributeValue } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { BYTES, FIXED32, FIXED64, ProtobufWriter, VARINT } from "./protobuf.ts";

/** Spans as an ExportTraceServiceRequest. */
export interface EncodedSpans {
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** Of a span's flags: whether its parent is remote is known, and that it is. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;
const CAPACITY_BYTES = 64 * 1024;

/** Spans of one resource and one instrumentation scope. */
export class SpanEncoder {
  readonly #spans = new ProtobufWriter(CAPACITY_BYTES);
  readonly #resource: Uint8Array;
  readonly #scope: Uint8Array;
  #count = 0;

  constructor(resource: Resource, scope: string) {
    this.#resource = resourceOf(resource);
    this.#scope = scopeOf(scope);
  }

  get count(): number {
    return this.#count;
  }

  add(span: ReadableSpan): void {
    const start = this.#spans.open(2);
    writeSpan(this.#spans, span);
    this.#spans.close(start);
    this.#count++;
  }

  /** All spans since the last time. */
  take(): EncodedSpans {
    const scopeHead = headOf(2, this.#scope.length + this.#spans.length);
    const inScope = scopeHead.length + this.#scope.length + this.#spans.length;
    const head = headOf(1, this.#resource.length + inScope);
    const bytes = new Uint8Array(head.length + this.#resource.length + inScope);
    let at = 0;
    for (const part of [head, this.#resource, scopeHead, this.#scope, this.#spans.written]) {
      bytes.set(part, at);
      at += part.length;
    }
    const taken = { bytes, count: this.#count };
    this.#spans.clear();
    this.#count = 0;
    return taken;
  }
}

/** Tag and length of a nested message. */
function headOf(field: number, length: number): Uint8Array {
  const writer = new ProtobufWriter(64);
  writer.tag(field, BYTES);
  writer.varint(length);
  return writer.written;
}

function resourceOf(resource: Resource): Uint8Array {
  const writer = new ProtobufWriter(256);
  const start = writer.open(1);
  for (const [key, value] of Object.entries(resource.attributes)) {
    writeAttribute(writer, 1, key, value);
  }
  writeNumber(writer, 2, 0);
  writer.close(start);
  return writer.written;
}

function scopeOf(name: string): Uint8Array {
  const writer = new ProtobufWriter(64);
  const start = writer.open(1);
  writer.tag(1, BYTES);
  writer.text(name);
  writer.close(start);
  return writer.written;
}

function writeSpan(writer: ProtobufWriter, span: ReadableSpan): void {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  const parent = span.parentSpanContext;
  writer.tag(1, BYTES);
  writer.hex(traceId);
  writer.tag(2, BYTES);
  writer.hex(spanId);
  if (traceState !== undefined) writeText(writer, 3, traceState.serialize());
  if (parent !== undefined) {
    writer.tag(4, BYTES);
    writer.hex(parent.spanId);
  }
  writer.tag(5, BYTES);
  writer.text(span.name);
  writeNumber(writer, 6, span.kind + 1);
  writer.tag(7, FIXED64);
  writer.time(span.startTime);
  writer.tag(8, FIXED64);
  writer.time(span.endTime);
  for (const key in span.attributes) writeAttribute(writer, 9, key, span.attributes[key]);
  writeNumber(writer, 10, span.droppedAttributesCount);
  // No span declares events or links; those that are set anyway are not sent, but counted as
  // dropped.
  writeNumber(writer, 12, span.droppedEventsCount + span.events.length);
  writeNumber(writer, 14, span.droppedLinksCount + span.links.length);
  const status = writer.open(15);
  writeText(writer, 2, span.status.message ?? "");
  writeNumber(writer, 3, span.status.code);
  writer.close(status);
  writer.tag(16, FIXED32);
  writer.fixed32(traceFlags | HAS_IS_REMOTE | (parent?.isRemote === true ? IS_REMOTE : 0));
}

function writeNumber(writer: ProtobufWriter, field: number, value: number): void {
  writer.tag(field, VARINT);
  writer.varint(value);
}

/** Nothing for an empty text. */
function writeText(writer: ProtobufWriter, field: number, text: string): void {
  if (text === "") return;
  writer.tag(field, BYTES);
  writer.text(text);
}

function writeAttribute(
  writer: ProtobufWriter,
  field: number,
  key: string,
  value: AttributeValue | undefined,
): void {
  const start = writer.open(field);
  writer.tag(1, BYTES);
  writer.text(key);
  const inner = writer.open(2);
  writeValue(writer, value);
  writer.close(inner);
  writer.close(start);
}

function writeValue(writer: ProtobufWriter, value: AttributeValue | null | undefined): void {
  if (typeof value === "string") {
    writer.tag(1, BYTES);
    writer.text(value);
  } else if (typeof value === "boolean") {
    writeNumber(writer, 2, Number(value));
  } else if (typeof value === "number") {
    if (Number.isSafeInteger(value)) {
      writeNumber(writer, 3, value);
    } else {
      writer.tag(4, FIXED64);
      writer.double(value);
    }
  } else if (Array.isArray(value)) {
    const start = writer.open(5);
    for (const item of value) {
      const inner = writer.open(1);
      writeValue(writer, item);
      writer.close(inner);
    }
    writer.close(start);
  }
}
