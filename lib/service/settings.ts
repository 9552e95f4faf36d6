/**
 * The variables of services. An invalid value is an error; the default is never used in its place.
 */
import { type Env, integerBetween, numberBetween, oneOf, readEnv } from "../base/env.ts";
import { type Fleet, readFleet } from "../contract/fleet.ts";
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
  readonly ddsDomain: number;
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
  };
}
