/**
 * The variables of services. An invalid value is an error; the default is never used in its place.
 */
import {
  type Env,
  integerBetween,
  numberBetween,
  oneOf,
  type Parser,
  readEnv,
} from "../base/env.ts";
import { type Fleet, readFleet } from "../contract/fleet.ts";
import { OUTPUT_CHANGE_NAMES, OUTPUT_CHANGES, type OutputChange } from "../contract/hooks.ts";
import { FORCED_QOS, type ForcedQosName } from "../contract/qos.ts";

export interface Settings extends Fleet {
  /** Scans per second; undefined: the sensor's own rate. */
  readonly publishRateHz: number | undefined;
  /** Replaces the service's writer profile. */
  readonly forceQos: ForcedQosName | undefined;
  /** Bytes that fusion leaks for each source track; 0 for none. */
  readonly leakRateBytes: number;
  /** Maximum number of source tracks in fusion's inbox. */
  readonly inboxCapacity: number;
  /** Puts another profile in place of those of this service's readers. */
  readonly readerQos: ForcedQosName | undefined;
  readonly ddsDomain: number;
  /** The DDS partition of all endpoints of this service; "" for the one of everybody. */
  readonly ddsPartition: string;
  /** Changes what this service publishes. */
  readonly output: OutputChange | undefined;
  /** Memory that is taken at once a while after the start, and never given back. */
  readonly holdBytes: number;
  /** Share of the time for which the event loop is kept busy. */
  readonly busyShare: number;
  /** Time before the service joins the domain and answers scrapes. */
  readonly startDelaySeconds: number;
  /** Port of /metrics; undefined: the one of the topology. */
  readonly metricsPort: number | undefined;
  /** Log records for debugging, per second. */
  readonly debugLines: number;
  /** Share of the log records that is exported. */
  readonly logShare: number;
  /** Points that threat evaluation adds to each score. */
  readonly threatOffset: number;
  /** Whether the command center orders engagements at all. */
  readonly engage: boolean;
  /** Cyclone's own configuration, passed on unchanged. */
  readonly cycloneDdsUri: string;
}

const MIN_RATE_HZ = 0.01;
const MAX_RATE_HZ = 1000;
const MAX_LEAK_BYTES = 10 * 1024 * 1024;
/** About four minutes of the usual 45 source tracks per second. */
const INBOX_CAPACITY = 10_000;
const MAX_INBOX_CAPACITY = 1_000_000;
const MAX_DOMAIN_ID = 230;
const MAX_HOLD_BYTES = 8 * 2 ** 30;
const MAX_THREAT_POINTS = 100;

/** Reads all variables; throws UsageError for the first invalid one. */
export function readSettings(env: Env): Settings {
  const names = Object.keys(FORCED_QOS) as ForcedQosName[];
  const rate = numberBetween(MIN_RATE_HZ, MAX_RATE_HZ, "scans per second");
  return {
    ...readFleet(env),
    publishRateHz: readEnv<number | undefined>(env, "PUBLISH_RATE_HZ", undefined, rate),
    forceQos: readEnv<ForcedQosName | undefined>(env, "CMS_FORCE_QOS", undefined, oneOf(names)),
    leakRateBytes: readEnv(
      env,
      "CMS_LEAK_RATE_BYTES",
      0,
      integerBetween(0, MAX_LEAK_BYTES, "bytes per source track"),
    ),
    inboxCapacity: readEnv(
      env,
      "CMS_INBOX_CAPACITY",
      INBOX_CAPACITY,
      integerBetween(1, MAX_INBOX_CAPACITY, "source tracks"),
    ),
    ddsDomain: readEnv(env, "CMS_DDS_DOMAIN", 0, integerBetween(0, MAX_DOMAIN_ID, "a DDS domain")),
    cycloneDdsUri: env["CYCLONEDDS_URI"] ?? "",
    ...readHooks(env),
  };
}

type Hooks = Pick<
  Settings,
  | "readerQos"
  | "ddsPartition"
  | "output"
  | "holdBytes"
  | "busyShare"
  | "startDelaySeconds"
  | "metricsPort"
  | "debugLines"
  | "logShare"
  | "threatOffset"
  | "engage"
>;

/** The settings that only a fault uses. */
function readHooks(env: Env): Hooks {
  const names = Object.keys(FORCED_QOS) as ForcedQosName[];
  const share = numberBetween(0, 1, "a share");
  const points = numberBetween(-MAX_THREAT_POINTS, MAX_THREAT_POINTS, "points");
  return {
    readerQos: readEnv<ForcedQosName | undefined>(env, "CMS_READER_QOS", undefined, oneOf(names)),
    ddsPartition: readEnv(env, "CMS_DDS_PARTITION", "", partition),
    output: readEnv<OutputChange | undefined>(env, "CMS_OUTPUT", undefined, outputChange),
    holdBytes: readEnv(env, "CMS_HOLD_BYTES", 0, integerBetween(0, MAX_HOLD_BYTES, "bytes")),
    busyShare: readEnv(env, "CMS_BUSY_SHARE", 0, share),
    startDelaySeconds: readEnv(
      env,
      "CMS_START_DELAY_SECONDS",
      0,
      numberBetween(0, 3600, "seconds"),
    ),
    metricsPort: readEnv<number | undefined>(
      env,
      "CMS_METRICS_PORT",
      undefined,
      integerBetween(1, 65_535, "a port"),
    ),
    debugLines: readEnv(
      env,
      "CMS_DEBUG_LINES",
      0,
      integerBetween(0, 10_000, "log records per second"),
    ),
    logShare: readEnv(env, "CMS_LOG_SHARE", 1, share),
    threatOffset: readEnv(env, "CMS_THREAT_OFFSET", 0, points),
    engage: readEnv(env, "CMS_ENGAGE", "on", oneOf(["on", "off"])) === "on",
  };
}

const partition: Parser<string> = (text, reject) =>
  /^[a-z][a-z0-9_]{0,31}$/.test(text) ? text : reject("a lower-case word of at most 32 characters");

/** Such as `dropped:0.5`. */
const outputChange: Parser<OutputChange> = (text, reject) => {
  const [word = "", amount, ...rest] = text.split(":");
  if (amount === undefined || rest.length > 0) return reject("<change>:<amount>");
  const name = oneOf(OUTPUT_CHANGE_NAMES)(word, reject);
  const { unit, min, max } = OUTPUT_CHANGES[name];
  return { name, amount: numberBetween(min, max, unit)(amount, reject) };
};
