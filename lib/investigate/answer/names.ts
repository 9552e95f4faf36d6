/** Reads names of services, classes, actions and times as agents write them. */
import { CULPRITS, type Culprit } from "../../contract/answer.ts";
import { SERVICES, type ServiceName, TOPOLOGY } from "../../contract/topology.ts";

/** Other names of culprits, besides the ids of the sensors. */
const ALIASES: ReadonlyMap<string, Culprit> = new Map<string, Culprit>(
  Object.entries({
    radar: "radar-sensor",
    esm: "esm-sensor",
    eo: "eo-sensor",
    "electro-optical-sensor": "eo-sensor",
    fusion: "track-fusion",
    evaluator: "threat-evaluator",
    "threat-evaluation": "threat-evaluator",
    "command-centre": "command-center",
    command: "command-center",
    effector: "effector-manager",
    effectors: "effector-manager",
    display: "tactical-display",
    machine: "host",
    node: "host",
    monitoring: "telemetry",
    observability: "telemetry",
    ...Object.fromEntries(
      SERVICES.flatMap((name) => {
        const { sensorId } = TOPOLOGY[name];
        return sensorId === undefined ? [] : [[sensorId.toLowerCase(), name]];
      }),
    ),
  } satisfies Record<string, Culprit>),
);

/** Words for no service. */
const NOBODY = /^(|none|null|nothing|nobody|no-service|no-culprit|unknown|n\/a)$/;

/**
 * The culprit that a text names: its name or an alias, in any case, with spaces or underscores for
 * hyphens. Null for a word that means none; undefined for other text.
 */
export function culpritNamed(said: unknown): Culprit | null | undefined {
  if (said === null) return null;
  if (typeof said !== "string") return undefined;
  const plain = plainName(said, "-");
  if (NOBODY.test(plain)) return null;
  const known = (name: string): Culprit | undefined =>
    CULPRITS.find((culprit) => culprit === name) ?? ALIASES.get(name);
  return known(plain) ?? known(plain.replace(/^the-/, "").replace(/(-service|:\d+)$/, ""));
}

/** As `culpritNamed`, but only a service. */
export function serviceNamed(said: unknown): ServiceName | null | undefined {
  const culprit = culpritNamed(said);
  if (culprit === null) return null;
  return SERVICES.find((name) => name === culprit);
}

/** The word of a closed list that a text names, in any case and with any separator. */
export function wordOf<Word extends string>(
  words: readonly Word[],
  said: unknown,
): Word | undefined {
  if (typeof said !== "string") return undefined;
  const plain = plainName(said, "_");
  return words.find((word) => word === plain);
}

const plainName = (said: string, separator: string): string =>
  said
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, separator);

const TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|UTC|[+-]\d\d:?\d\d)?$/i;

/** A time in ISO 8601 with any offset, converted to UTC; without an offset it counts as UTC. */
export function timeNamed(said: unknown): string | undefined {
  const match = typeof said === "string" ? TIME.exec(said.trim()) : null;
  if (match === null) return undefined;
  const [, day, time, zone = "Z"] = match;
  const offset = /^utc$/i.test(zone) ? "Z" : zone.replace(/^([+-]\d\d):?(\d\d)$/, "$1:$2");
  const unixMs = Date.parse(`${day}T${time}${offset.toUpperCase()}`);
  return Number.isNaN(unixMs) ? undefined : new Date(unixMs).toISOString();
}

/** A probability: 0 to 1, or percent as a number above 1 or with a percent sign. */
export function probabilityNamed(said: unknown): number | undefined {
  const match =
    typeof said === "number"
      ? [String(said), String(said), ""]
      : typeof said === "string"
        ? /^\s*(\d+(?:\.\d+)?)\s*(%?)\s*$/.exec(said)
        : null;
  if (match === null) return undefined;
  const value = Number(match[1]);
  const share = match[2] === "%" || value > 1 ? value / 100 : value;
  return share >= 0 && share <= 1 ? share : undefined;
}
