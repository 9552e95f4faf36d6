/**
 * Converts an OTLP log request into rows of the store, with Loki 3's mapping: some resource
 * attributes become stream labels, all others structured metadata, and the body becomes the line.
 */
import type { LogRow } from "../store/rows.ts";
import { decode, type Decoded } from "./decode.ts";
import {
  anyValue,
  attributesOf,
  idOf,
  type JsonAttribute,
  type Message,
  numberOf,
  textOf,
  timeOf,
  valueText,
} from "./values.ts";

/** Loki's default_resource_attributes_as_index_labels. */
const INDEX_LABELS = new Set([
  "service.name",
  "service.namespace",
  "service.instance.id",
  "deployment.environment",
  "deployment.environment.name",
  "cloud.region",
  "cloud.availability_zone",
  "k8s.cluster.name",
  "k8s.namespace.name",
  "k8s.pod.name",
  "k8s.container.name",
  "container.name",
  "k8s.replicaset.name",
  "k8s.deployment.name",
  "k8s.statefulset.name",
  "k8s.daemonset.name",
  "k8s.cronjob.name",
  "k8s.job.name",
]);

/** Loki's limit on one line; longer lines are refused. */
const MAX_LINE_BYTES = 256 * 1024;
/** Loki's limit on the structured metadata of one line. */
const MAX_METADATA_CHARS = 64 * 1024;

/** Converts a name to Prometheus' and Loki's syntax. */
export function labelName(key: string): string {
  const name = key.replaceAll(/[^a-zA-Z0-9_]/g, "_");
  if (/^\d/.test(name)) return `key_${name}`;
  return /^_[a-zA-Z]/.test(name) && !name.startsWith("__") ? `key${name}` : name;
}

type Labels = Record<string, string>;

function addLabels(into: Labels, attributes: readonly JsonAttribute[], prefix = ""): void {
  for (const { key, value } of attributes) {
    const name = labelName(prefix === "" ? key : `${prefix}_${key}`);
    if ("kvlistValue" in value) addLabels(into, value.kvlistValue.values, name);
    else into[name] = valueText(value);
  }
}

function sortedJson(labels: Labels): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  );
}

/** Labels and metadata that a line gets from its resource and its scope. */
interface Inherited {
  /** The stream's labels as JSON text. */
  readonly labels: string;
  readonly metadata: Labels;
}

/** Reads a log request; records without a time get `nowNs`. */
export function decodeLogs(request: Message, nowNs: bigint): Decoded<LogRow> {
  return decode(request, {
    fields: ["resourceLogs", "scopeLogs", "logRecords"],
    resource: streamOf,
    scope: (scope, { labels, metadata }): Inherited => ({
      labels,
      metadata: { ...metadata, ...scopeLabels(scope) },
    }),
    item: (record, inherited) => logRow(record, inherited, nowNs),
  });
}

function streamOf(attributes: readonly JsonAttribute[]): Inherited {
  const stream: Labels = {};
  const metadata: Labels = {};
  addLabels(
    stream,
    attributes.filter(({ key, value }) => INDEX_LABELS.has(key) && valueText(value) !== ""),
  );
  addLabels(
    metadata,
    attributes.filter(({ key }) => !INDEX_LABELS.has(key)),
  );
  stream["service_name"] ??= stream["container_name"] ?? "unknown_service";
  return { labels: sortedJson(stream), metadata };
}

function scopeLabels(scope: Message): Labels {
  const labels: Labels = {};
  addLabels(labels, attributesOf(scope["attributes"]));
  const name = textOf(scope["name"], "scope.name");
  const version = textOf(scope["version"], "scope.version");
  if (name !== "") labels["scope_name"] = name;
  if (version !== "") labels["scope_version"] = version;
  return labels;
}

function logRow(record: Message, inherited: Inherited, nowNs: bigint): LogRow | string {
  const line = valueText(anyValue(record["body"]));
  if (line.length > MAX_LINE_BYTES || Buffer.byteLength(line) > MAX_LINE_BYTES) {
    return `a log line must have at most ${MAX_LINE_BYTES} bytes, but has ${Buffer.byteLength(line)}`;
  }
  const time = timeOf(record["timeUnixNano"], "timeUnixNano");
  const observed = timeOf(record["observedTimeUnixNano"], "observedTimeUnixNano");
  const own: Labels = {};
  addLabels(own, attributesOf(record["attributes"]));
  if (time !== 0n && observed !== 0n) own["observed_timestamp"] = observed.toString();
  const severity = numberOf(record["severityNumber"], "severityNumber");
  const severityText = textOf(record["severityText"], "severityText");
  if (severityText !== "") own["severity_text"] = severityText;
  const fields = {
    severity_number: severity,
    dropped_attributes_count: numberOf(record["droppedAttributesCount"], "droppedAttributesCount"),
    flags: numberOf(record["flags"], "flags"),
    trace_id: idOf(record["traceId"], "traceId"),
    span_id: idOf(record["spanId"], "spanId"),
  };
  // Absent ids and numbers are empty or all zero.
  for (const [name, value] of Object.entries(fields)) {
    if (!/^0*$/.test(String(value))) own[name] = String(value);
  }
  const metadata = { ...inherited.metadata, ...own };
  metadata["detected_level"] ??= detectedLevel(metadata, severity, line);
  const text = sortedJson(metadata);
  if (text.length > MAX_METADATA_CHARS) {
    return `a record's attributes must have at most ${MAX_METADATA_CHARS} characters, but have ${text.length}`;
  }
  return {
    labels: inherited.labels,
    timeNs: time !== 0n ? time : observed !== 0n ? observed : nowNs,
    line,
    metadata: text,
  };
}

const LEVEL_LABELS = ["level", "log_level", "severity", "lvl", "severity_text"];
const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

/** Loki's detection of a line's level: from a label, else the severity number, else the text. */
function detectedLevel(metadata: Labels, severity: number, line: string): string {
  for (const name of LEVEL_LABELS) {
    const value = metadata[name];
    if (value !== undefined) return normalLevel(value);
  }
  if (severity > 0) return LEVELS[Math.floor((severity - 1) / 4)] ?? "unknown";
  const said =
    /"(?:level|LEVEL|Level|severity|lvl)"\s*:\s*"([A-Za-z]+)"/.exec(line)?.[1] ??
    /(?:^|\s)(?:level|severity|lvl)=([A-Za-z]+)/.exec(line)?.[1];
  if (said !== undefined) return normalLevel(said);
  const word = /\b(trace|debug|info|warn(?:ing)?|error|err|fatal|critical)\b/i.exec(line)?.[1];
  return word === undefined ? "unknown" : normalLevel(word);
}

function normalLevel(text: string): string {
  const word = text.toLowerCase();
  if (word === "warning" || word === "wrn") return "warn";
  if (word === "err") return "error";
  if (word === "information" || word === "inf") return "info";
  return word;
}
