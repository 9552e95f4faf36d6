/** Converts an OTLP trace request into rows of the store. */
import type { Origin, SpanRow } from "../store/rows.ts";
import { decode, type Decoded } from "./decode.ts";
import { SPAN_KINDS, spanKindName, STATUSES, statusCodeName } from "./span-enums.ts";
import {
  attributesOf,
  idOf,
  type JsonAttribute,
  listOf,
  type Message,
  messageOf,
  numberOf,
  textOf,
  timeOf,
  valueText,
} from "./values.ts";

const KIND_NAMES = SPAN_KINDS.map(spanKindName);
const STATUS_NAMES = STATUSES.map(statusCodeName);

/** The service name in the attributes; `unknown_service`, as in Loki and Tempo, without one. */
export function serviceOf(attributes: readonly JsonAttribute[]): string {
  const found = attributes.find(({ key }) => key === "service.name");
  const name = found === undefined ? "" : valueText(found.value);
  return name === "" ? "unknown_service" : name;
}

/** A scope as OTLP/JSON text. */
function scopeText(scope: Message): string {
  const attributes = attributesOf(scope["attributes"]);
  return JSON.stringify({
    name: textOf(scope["name"], "scope.name"),
    version: textOf(scope["version"], "scope.version"),
    ...(attributes.length === 0 ? {} : { attributes }),
  });
}

/** Reads a trace request; only spans with invalid ids are refused. */
export function decodeTraces(request: Message): Decoded<SpanRow> {
  return decode(request, {
    fields: ["resourceSpans", "scopeSpans", "spans"],
    resource: (attributes) => ({
      service: serviceOf(attributes),
      resource: JSON.stringify({ attributes }),
    }),
    scope: (scope, resource): Origin => ({ ...resource, scope: scopeText(scope) }),
    item: spanRow,
  });
}

const isId = (id: string, digits: number): boolean => id.length === digits && !/^0+$/.test(id);

/** Converts one span into a row, or returns the reason for refusing it. */
function spanRow(span: Message, origin: Origin): SpanRow | string {
  const traceId = idOf(span["traceId"], "traceId");
  const spanId = idOf(span["spanId"], "spanId");
  const parent = idOf(span["parentSpanId"], "parentSpanId");
  if (!isId(traceId, 32))
    return `trace_id must be 16 bytes, not all zero, but is "${traceId.slice(0, 64)}"`;
  if (!isId(spanId, 16))
    return `span_id must be 8 bytes, not all zero, but is "${spanId.slice(0, 64)}"`;
  const parentId = isId(parent, 16) ? parent : "";
  const startNs = timeOf(span["startTimeUnixNano"], "startTimeUnixNano");
  const endNs = timeOf(span["endTimeUnixNano"], "endTimeUnixNano");
  const status = messageOf(span["status"], "status");
  const message = textOf(status["message"], "status.message");
  const kind = numberOf(span["kind"], "kind", KIND_NAMES);
  const code = numberOf(status["code"], "status.code", STATUS_NAMES);
  return {
    origin,
    traceId,
    spanId,
    parentId,
    name: textOf(span["name"], "name"),
    kind: kind in SPAN_KINDS ? kind : 0,
    status: code in STATUSES ? code : 0,
    startNs,
    durationNs: endNs > startNs ? endNs - startNs : 0n,
    attributes: JSON.stringify(attributesOf(span["attributes"])),
    rest: restText(span, message),
  };
}

/** The rarely set fields, as the inside of a JSON object. */
function restText(span: Message, statusMessage: string): string {
  const rest: Record<string, unknown> = {};
  const traceState = textOf(span["traceState"], "traceState");
  if (traceState !== "") rest["traceState"] = traceState;
  if (statusMessage !== "") rest["statusMessage"] = statusMessage;
  const flags = numberOf(span["flags"], "flags");
  if (flags !== 0) rest["flags"] = flags;
  const events = listOf(span["events"], "events");
  if (events.length > 0) {
    rest["events"] = events.map((event) => ({
      timeUnixNano: timeOf(event["timeUnixNano"], "timeUnixNano").toString(),
      name: textOf(event["name"], "event.name"),
      attributes: attributesOf(event["attributes"]),
    }));
  }
  const links = listOf(span["links"], "links");
  if (links.length > 0) {
    rest["links"] = links.map((link) => ({
      traceId: hexToBase64(idOf(link["traceId"], "link.traceId")),
      spanId: hexToBase64(idOf(link["spanId"], "link.spanId")),
      attributes: attributesOf(link["attributes"]),
    }));
  }
  for (const key of ["droppedAttributesCount", "droppedEventsCount", "droppedLinksCount"]) {
    const dropped = numberOf(span[key], key);
    if (dropped !== 0) rest[key] = dropped;
  }
  const text = JSON.stringify(rest);
  return text.slice(1, -1);
}

/** Converts hexadecimal to Base64, which protobuf's JSON form uses, as in Tempo's answers. */
export function hexToBase64(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64");
}
