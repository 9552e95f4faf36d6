/**
 * Reads an agent's remedy as an executable act: an action, a service, and the single value that the
 * action takes. Equal remedies in different words become equal acts.
 */
import type { Culprit, NamedFault, Remedy } from "../../contract/answer.ts";
import type { OutputChangeName } from "../../contract/hooks.ts";
import { FORCED_QOS } from "../../contract/qos.ts";
import type { Remediation } from "../../contract/fault-classes.ts";
import { isServiceName, type ServiceName } from "../../contract/topology.ts";
import { MIN_CORES } from "../../lab/lab.ts";

/** An act on one service, or on the shared machine. */
export interface Act {
  readonly action: Remediation;
  readonly target: Exclude<Culprit, "telemetry">;
  /** The variable that is set, by the actions that set one. */
  readonly setting: string | null;
  /** The agent's value; null for the action's default. */
  readonly value: string | number | null;
}

/** An act, or the reason why there is none. */
export type ReadRemedy =
  { readonly kind: "act"; readonly act: Act } | { readonly kind: "nothing"; readonly why: string };

/** A variable that an action corrects; with `only`, if its value has this prefix. */
export interface Setting {
  readonly name: string;
  readonly only?: RegExp;
}

const outputs = (...names: readonly OutputChangeName[]): Setting => ({
  name: "CMS_OUTPUT",
  only: new RegExp(`^(${names.join("|")}):`),
});

/** The variables that each action sets right; with a value, it sets the first one. */
export const SETTINGS_OF: Readonly<Partial<Record<Remediation, readonly Setting[]>>> = {
  correct_qos_profile: [{ name: "CMS_FORCE_QOS" }, { name: "CMS_READER_QOS" }],
  correct_dds_domain: [
    { name: "CMS_DDS_DOMAIN" },
    { name: "CMS_DDS_PARTITION" },
    { name: "CYCLONEDDS_URI" },
  ],
  reduce_publish_rate: [{ name: "PUBLISH_RATE_HZ" }, outputs("repeated")],
  scale_consumer: [{ name: "CMS_INBOX_CAPACITY" }],
  fix_leak_and_redeploy: [{ name: "CMS_LEAK_RATE_BYTES" }, { name: "CMS_HOLD_BYTES" }],
  synchronise_clock: [outputs("time_offset")],
  restore_monitoring: [
    { name: "CMS_METRICS_PORT" },
    { name: "CMS_LOG_SHARE" },
    { name: "OTEL_EXPORTER_OTLP_ENDPOINT" },
  ],
  reduce_log_volume: [{ name: "CMS_DEBUG_LINES" }],
  recalibrate_source: [
    outputs(
      "position_offset",
      "position_noise",
      "position_held",
      "not_a_number",
      "garbled",
      "misclassified",
      "foreign_sensor",
    ),
  ],
};

type Value = string | number;
type Reader = (said: Value, name: string) => Value | undefined;

/** The parameter of an action: its names in answers, and its parser. */
interface Parameter {
  readonly names: RegExp;
  readonly rule: string;
  readonly read: Reader;
}

const PARAMETERS: Readonly<Partial<Record<Remediation, Parameter>>> = {
  raise_cpu_quota: {
    names: /core|cpu|quota|limit|value/i,
    rule: `cores from ${MIN_CORES} to 64`,
    read: (said) => within(numberIn(said, CPU_UNITS), MIN_CORES, 64),
  },
  raise_memory_limit: {
    names: /mib|mb|mem|byte|limit|value/i,
    rule: "a limit from 32 MiB to 64 GiB",
    read: (said, name) => within(mebibytes(said, name), 32, 65_536),
  },
  reduce_publish_rate: {
    names: /hz|rate|value/i,
    rule: "scans per second from 0.01 to 1000",
    read: (said) => within(numberIn(said, { "": 1, hz: 1, "/s": 1 }), 0.01, 1000),
  },
  correct_dds_domain: {
    names: /domain|value/i,
    rule: "a domain from 0 to 230",
    read: (said) => within(numberIn(said, { "": 1 }), 0, 230),
  },
  correct_qos_profile: {
    names: /profile|qos|value/i,
    rule: `one of ${Object.keys(FORCED_QOS).join(", ")}`,
    read: (said) => Object.keys(FORCED_QOS).find((name) => name === String(said).trim()),
  },
  scale_consumer: {
    names: /capacity|inbox|queue|value/i,
    rule: "a number of messages from 1 to 1000000",
    read: (said) => within(numberIn(said, { "": 1 }), 1, 1_000_000),
  },
};

const CPU_UNITS = { "": 1, m: 0.001, "%": 0.01, core: 1, cores: 1, cpu: 1, cpus: 1 };
const MEMORY_UNITS: Readonly<Record<string, number>> = {
  "": 2 ** -20,
  k: 2 ** -10,
  m: 1,
  g: 1024,
};

/** Settings that accept any value; others can only be reset. */
const SETTABLE = /^(CMS_[A-Z0-9_]{1,60}|PUBLISH_RATE_HZ)$/;
const SETTING_NAMES = /^(setting|variable|name|key|env)$/i;
const MAX_VALUE_CHARACTERS = 200;

/** Reads one remedy. */
export function readRemedy(remedy: Pick<Remedy, "action" | "target" | "parameters">): ReadRemedy {
  const { action, target, parameters } = remedy;
  if (action === "no_action" || action === "gather_more_evidence") {
    return nothing(`${action} changes nothing`);
  }
  const onHost = target === "host" && action === "relieve_host";
  if (onHost) return { kind: "act", act: { action, target, setting: null, value: null } };
  if (target === null || !isServiceName(target)) {
    return nothing(`${action} needs a service as its target, but has ${target ?? "none"}`);
  }
  if (action === "correct_configuration") return readSetting(target, parameters);
  const setting =
    PARAMETERS[action] === undefined ? null : (SETTINGS_OF[action]?.[0]?.name ?? null);
  const parameter = PARAMETERS[action];
  const said = parameter && Object.entries(parameters).find(([name]) => parameter.names.test(name));
  if (parameter === undefined || said === undefined) {
    return { kind: "act", act: { action, target, setting, value: null } };
  }
  const value = parameter.read(said[1], said[0]);
  if (value === undefined) {
    return nothing(`${said[0]} of ${action} must be ${parameter.rule}, but is ${said[1]}`);
  }
  return { kind: "act", act: { action, target, setting, value } };
}

/** A setting: `{setting, value}`, or the variable itself as the parameter. */
function readSetting(target: ServiceName, parameters: Remedy["parameters"]): ReadRemedy {
  const action = "correct_configuration";
  const entries = Object.entries(parameters);
  const named = entries.find(([name]) => SETTING_NAMES.test(name))?.[1];
  const own = entries.find(([name]) => /^[A-Z][A-Z0-9_]+$/.test(name));
  const setting = named === undefined ? own?.[0] : String(named).trim();
  if (setting === undefined) return nothing(`${action} must name the setting, but names none`);
  const value =
    (named === undefined ? own?.[1] : entries.find(([name]) => /^value$/i.test(name))?.[1]) ?? null;
  if (value !== null && !SETTABLE.test(setting)) {
    return nothing(`${action} cannot set ${setting.slice(0, 60)}: it can only be set back`);
  }
  if (String(value).length > MAX_VALUE_CHARACTERS) {
    return nothing(`the value of ${action} must have at most ${MAX_VALUE_CHARACTERS} characters`);
  }
  return { kind: "act", act: { action, target, setting, value } };
}

const nothing = (why: string): ReadRemedy => ({ kind: "nothing", why });

/** A number with one of these units; undefined otherwise. */
function numberIn(said: Value, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z%/]*)\s*$/i.exec(String(said));
  const factor = units[match?.[2]?.toLowerCase() ?? ""];
  return match === null || factor === undefined ? undefined : Number(match[1]) * factor;
}

/**
 * Mebibytes; a bare number is in mebibytes, unless the parameter's name or the magnitude indicates
 * bytes.
 */
function mebibytes(said: Value, name: string): number | undefined {
  const bare = numberIn(said, { "": 1 });
  if (bare !== undefined) {
    const isBytes = /byte/i.test(name) || (bare >= 2 ** 25 && !/mi?b/i.test(name));
    return isBytes ? bare / 2 ** 20 : bare;
  }
  const match = /^\s*(\d+(?:\.\d+)?)\s*([kmg]?)i?(?:b|bytes)?\s*$/i.exec(String(said));
  if (match === null) return undefined;
  const unit = MEMORY_UNITS[match[2]?.toLowerCase() ?? ""];
  return unit === undefined ? undefined : Number(match[1]) * unit;
}

const within = (value: number | undefined, min: number, max: number): number | undefined =>
  value !== undefined && value >= min && value <= max ? value : undefined;

/**
 * The acts of a whole answer without repetitions, and the reasons why its other remedies do
 * nothing.
 */
export interface Orders {
  readonly acts: readonly Act[];
  readonly refused: readonly string[];
}

/** The orders in an answer's faults; none without an answer. */
export function ordersIn(faults: readonly Pick<NamedFault, "remediation">[]): Orders {
  const acts = new Map<string, Act>();
  const refused: string[] = [];
  for (const { remediation } of faults) {
    const read = readRemedy(remediation);
    if (read.kind === "act") acts.set(describeAct(read.act), read.act);
    else refused.push(read.why);
  }
  return { acts: [...acts.values()], refused };
}

/** Describes an act briefly; equal acts have equal descriptions. */
export function describeAct({ action, target, setting, value }: Act): string {
  const named = action === "correct_configuration" ? ` ${setting}` : "";
  return `${action} ${target}${named}${value === null ? "" : ` = ${value}`}`;
}

/** The key of a set of acts, in any order; equal sets share one execution. */
export const keyOfActs = (acts: readonly Act[]): string =>
  acts.length === 0 ? "do nothing" : acts.map(describeAct).toSorted().join("; ");
