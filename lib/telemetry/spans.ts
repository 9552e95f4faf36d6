/**
 * Checks spans against their declarations (service, name, and attributes, also those set later),
 * and adds the kind and the attributes of their DDS hop.
 */
import { type Attributes, type Span, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { MESSAGING_SYSTEM, SPANS, type SpanName, type SpanSpec } from "../contract/telemetry.ts";
import { asError } from "../base/errors.ts";
import { SENSOR_IDS, sensorKindOf, type ServiceName, TOPICS } from "../contract/topology.ts";

type SetAttribute = Span["setAttribute"];

/** All names of a declared span: `<x>` is replaced by each value of a closed set. */
export function spanNames(declared: SpanName): readonly string[] {
  return [
    { part: "<sensor_id>", values: SENSOR_IDS },
    { part: "<topic>", values: TOPICS },
  ].reduce<readonly string[]>(
    (names, { part, values }) =>
      names.flatMap((name) =>
        name.includes(part) ? values.map((value) => name.replace(part, value)) : [name],
      ),
    [declared],
  );
}

const NAMES = new Map(
  Object.keys(SPANS).map((name) => [name, new Set(spanNames(name as SpanName))]),
);

/** Throws unless `service` may start a span called `name` with these attributes. */
export function checkSpan(
  declared: SpanName,
  name: string,
  service: ServiceName,
  attributes: Attributes,
): void {
  const spec: SpanSpec = SPANS[declared];
  if (!spec.services.includes(service)) {
    throw new TypeError(`Cannot start span ${declared}: it is not declared for ${service}`);
  }
  if (NAMES.get(declared)?.has(name) !== true && !isOfConfiguredSensor(declared, name)) {
    throw new TypeError(`Cannot start span ${declared}: it does not match ${name}`);
  }
  for (const attribute of Object.keys(attributes)) checkAttribute(declared, attribute);
}

/**
 * Any number of sensors can be configured; only the names of the canonical ones are known in
 * advance.
 */
function isOfConfiguredSensor(declared: SpanName, name: string): boolean {
  const [prefix = "", rest] = declared.split("<sensor_id>");
  return (
    rest === "" && name.startsWith(prefix) && sensorKindOf(name.slice(prefix.length)) !== undefined
  );
}

/** The kind of a span. */
export function kindOf(declared: SpanName): SpanKind {
  return SPANS[declared].kind === "producer" ? SpanKind.PRODUCER : SpanKind.CONSUMER;
}

const HOPS = new Map<string, Attributes>();

/** The attributes of a span's DDS hop, by OpenTelemetry's conventions for messaging. */
export function hopOf(declared: SpanName, name: string): Attributes {
  const known = HOPS.get(name);
  if (known !== undefined) return known;
  const spec: SpanSpec = SPANS[declared];
  const topic = spec.topic ?? TOPICS.find((each) => name.endsWith(each));
  const isProducer = spec.kind === "producer";
  const hop = {
    "messaging.system": MESSAGING_SYSTEM,
    "messaging.destination.name": topic ?? "",
    "messaging.operation.name": isProducer ? "publish" : "process",
    "messaging.operation.type": isProducer ? "send" : "process",
  };
  HOPS.set(name, hop);
  return hop;
}

/** Records an exception in a span, by OpenTelemetry's conventions. */
export function recordError(span: Span, thrown: unknown): void {
  const error = asError(thrown);
  span.recordException(error);
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
}

function checkAttribute(declared: SpanName, attribute: string): void {
  const spec: SpanSpec = SPANS[declared];
  if (!spec.attributes.includes(attribute)) {
    throw new TypeError(`Cannot use span ${declared}: ${attribute} is not one of its attributes`);
  }
}

/** One function for all spans of a name, because there is a span for every message. */
const GUARDS = new Map(Object.keys(SPANS).map((name) => [name, guardOf(name as SpanName)]));

function guardOf(declared: SpanName): SetAttribute {
  return function (this: Span, key, value) {
    checkAttribute(declared, key);
    return (Object.getPrototypeOf(this) as Span).setAttribute.call(this, key, value);
  };
}

/** Makes `span` throw for an undeclared attribute that is set after its start. */
export function guard(declared: SpanName, span: Span): Span {
  const setAttribute = GUARDS.get(declared);
  return setAttribute === undefined ? span : Object.assign(span, { setAttribute });
}
