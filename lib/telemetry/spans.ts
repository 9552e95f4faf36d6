/**
 * Checks spans against their declarations: service, name, and attributes, also those that are set
 * later.
 */
import type { Attributes, Span } from "@opentelemetry/api";
import { SPANS, type SpanName, type SpanSpec } from "../contract/telemetry.ts";
import { SENSOR_IDS, sensorKindOf, type ServiceName, TOPICS } from "../contract/topology.ts";

type SetAttribute = Span["setAttribute"];

/** The names that a declared one stands for: `<x>` in it is one of a closed set. */
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
    throw new TypeError(`Cannot start span ${declared}: it does not stand for ${name}`);
  }
  for (const attribute of Object.keys(attributes)) checkAttribute(declared, attribute);
}

/** Any number of sensors may be configured; the names of the canonical ones are known beforehand. */
function isOfConfiguredSensor(declared: SpanName, name: string): boolean {
  const [prefix = "", rest] = declared.split("<sensor_id>");
  return (
    rest === "" && name.startsWith(prefix) && sensorKindOf(name.slice(prefix.length)) !== undefined
  );
}

function checkAttribute(declared: SpanName, attribute: string): void {
  const spec: SpanSpec = SPANS[declared];
  if (!spec.attributes.includes(attribute)) {
    throw new TypeError(`Cannot use span ${declared}: ${attribute} is not one of its attributes`);
  }
}

/** One function for all spans of a kind: a span is made for every message. */
const GUARDS = new Map(Object.keys(SPANS).map((name) => [name, guardOf(name as SpanName)]));

function guardOf(declared: SpanName): SetAttribute {
  return function (this: Span, key, value) {
    checkAttribute(declared, key);
    return (Object.getPrototypeOf(this) as Span).setAttribute.call(this, key, value);
  };
}

/** Makes `span` refuse an attribute that is not declared, set later than at its start, too. */
export function guard(declared: SpanName, span: Span): Span {
  const setAttribute = GUARDS.get(declared);
  return setAttribute === undefined ? span : Object.assign(span, { setAttribute });
}
