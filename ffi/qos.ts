/** Quality of service as plain data; an absent option has the DDS default. */
import { loadLibrary } from "./library.ts";
import { type Pointer, withCString } from "./memory.ts";

export interface Qos {
  /** RELIABLE: samples are sent again until every matched reader has them. */
  readonly reliability?: "BEST_EFFORT" | "RELIABLE";
  /**
   * How long a reliable write may wait for room, milliseconds; 100 unless given. For topics and
   * writers.
   */
  readonly maxBlockingMs?: number;
  /** How many samples of each instance are kept: the last `depth`, 1 or more, or all. */
  readonly history?:
    { readonly kind: "KEEP_LAST"; readonly depth: number } | { readonly kind: "KEEP_ALL" };
  /** Samples for readers that join later. TRANSIENT_LOCAL: those in the writer's history. */
  readonly durability?: "VOLATILE" | "TRANSIENT_LOCAL" | "TRANSIENT" | "PERSISTENT";
  /** Whether several writers may update an instance. */
  readonly ownership?: "SHARED" | "EXCLUSIVE";
  /** Longest time between samples of an instance, milliseconds; none unless given. */
  readonly deadlineMs?: number;
  /** How a writer shows that it is alive, and the maximum time between two signs, milliseconds. */
  readonly liveliness?: {
    readonly kind: "AUTOMATIC" | "MANUAL_BY_PARTICIPANT" | "MANUAL_BY_TOPIC";
    readonly leaseMs: number;
  };
  /** Which timestamp orders samples. */
  readonly destinationOrder?: "BY_RECEPTION_TIMESTAMP" | "BY_SOURCE_TIMESTAMP";
  /** Only endpoints of the same partition match; `*` and `?` are wildcards. */
  readonly partition?: string;
  /**
   * Whether a writer that unregisters an instance, or is closed, disposes it as well; true unless
   * given. For topics and writers.
   */
  readonly autodispose?: boolean;
}

const KNOWN: ReadonlySet<string> = new Set([
  "reliability",
  "maxBlockingMs",
  "history",
  "durability",
  "ownership",
  "deadlineMs",
  "liveliness",
  "destinationOrder",
  "partition",
  "autodispose",
]);

const RELIABILITY = ["BEST_EFFORT", "RELIABLE"] as const;
const HISTORY = ["KEEP_LAST", "KEEP_ALL"] as const;
const DURABILITY = ["VOLATILE", "TRANSIENT_LOCAL", "TRANSIENT", "PERSISTENT"] as const;
const OWNERSHIP = ["SHARED", "EXCLUSIVE"] as const;
const LIVELINESS = ["AUTOMATIC", "MANUAL_BY_PARTICIPANT", "MANUAL_BY_TOPIC"] as const;
const DESTINATION_ORDER = ["BY_RECEPTION_TIMESTAMP", "BY_SOURCE_TIMESTAMP"] as const;
const DEFAULT_MAX_BLOCKING_MS = 100;

/** Names of QoS policies by id, as in incompatible-QoS statuses. Source: DDS 1.4, 2.2.3. */
const POLICY_NAMES: Readonly<Record<number, string>> = {
  0: "INVALID",
  1: "USERDATA",
  2: "DURABILITY",
  3: "PRESENTATION",
  4: "DEADLINE",
  5: "LATENCYBUDGET",
  6: "OWNERSHIP",
  7: "OWNERSHIPSTRENGTH",
  8: "LIVELINESS",
  9: "TIMEBASEDFILTER",
  10: "PARTITION",
  11: "RELIABILITY",
  12: "DESTINATIONORDER",
  13: "HISTORY",
  14: "RESOURCELIMITS",
  15: "ENTITYFACTORY",
  16: "WRITERDATALIFECYCLE",
  17: "READERDATALIFECYCLE",
  18: "TOPICDATA",
  19: "GROUPDATA",
  20: "TRANSPORTPRIORITY",
  21: "LIFESPAN",
  22: "DURABILITYSERVICE",
  23: "PROPERTY",
  24: "TYPE_CONSISTENCY_ENFORCEMENT",
  25: "DATA_REPRESENTATION",
};

/** Returns the name of a QoS policy, or its number if it has no name. */
export function policyName(id: number): string {
  return POLICY_NAMES[id] ?? `POLICY_${id}`;
}

/** A DDS duration; throws TypeError with `name` unless `ms` is from 0 to 2^40. */
export const nanoseconds = (name: string, ms: number): bigint => {
  if (typeof ms !== "number" || !(ms >= 0 && ms <= 2 ** 40)) {
    throw new TypeError(`Cannot set ${name}: it must be milliseconds from 0 to 2^40, but is ${ms}`);
  }
  return BigInt(Math.round(ms * 1e6));
};

function indexOf(name: string, words: readonly string[], word: string): number {
  const index = words.indexOf(word);
  if (index < 0) {
    throw new TypeError(
      `Cannot set ${name}: it must be one of ${words.join(", ")}, but is ${word}`,
    );
  }
  return index;
}

/**
 * The entity for which a QoS is given. Writers and readers use the topic's QoS for absent options.
 */
export type Role = "topic" | "writer" | "reader";

/**
 * Checks the QoS of a `role`, and returns it merged with the topic's. Throws TypeError for an
 * unknown option, and for one without effect.
 */
export function effectiveQos(role: Role, own: Qos, topic: Qos = {}): Qos {
  checkNames("QoS", own, KNOWN);
  if (own.liveliness !== undefined) checkNames("liveliness", own.liveliness, LIVELINESS_FIELDS);
  if (own.history !== undefined) {
    checkNames(
      "history",
      own.history,
      HISTORY_FIELDS[own.history.kind] ?? HISTORY_FIELDS.KEEP_LAST,
    );
  }
  const given = Object.entries(own).filter(([, value]) => value !== undefined);
  const effective: Qos = { ...topic, ...Object.fromEntries(given) };
  for (const name of WRITERS_ONLY) {
    if (role === "reader" && own[name] !== undefined) {
      throw new TypeError(`Cannot set ${name}: it has no effect on a reader`);
    }
  }
  if (own.maxBlockingMs !== undefined && effective.reliability === "BEST_EFFORT") {
    throw new TypeError("Cannot set maxBlockingMs: it has no effect with BEST_EFFORT");
  }
  return effective;
}

const WRITERS_ONLY = ["maxBlockingMs", "autodispose"] as const;
const LIVELINESS_FIELDS: ReadonlySet<string> = new Set(["kind", "leaseMs"]);
const HISTORY_FIELDS: Readonly<Record<(typeof HISTORY)[number], ReadonlySet<string>>> = {
  KEEP_LAST: new Set(["kind", "depth"]),
  KEEP_ALL: new Set(["kind"]),
};

function checkNames(what: string, options: object, known: ReadonlySet<string>): void {
  for (const name of Object.keys(options)) {
    if (!known.has(name)) {
      throw new TypeError(`Cannot set ${what}: ${name} is not one of ${[...known].join(", ")}`);
    }
  }
}

/** Calls `use` with the C form of `qos`, which is freed afterwards; C copies what it keeps. */
export function withQos<T>(role: Role, qos: Qos, use: (pointer: Pointer) => T): T {
  const { dds } = loadLibrary();
  const pointer = Number(dds.dds_create_qos()) as Pointer;
  if (pointer === 0) throw new RangeError("Cannot set QoS: out of memory");
  try {
    fill(pointer, role, qos);
    return use(pointer);
  } finally {
    dds.dds_delete_qos(pointer);
  }
}

function fill(pointer: Pointer, role: Role, qos: Qos): void {
  const { dds } = loadLibrary();
  const maxBlocking = nanoseconds("maxBlockingMs", qos.maxBlockingMs ?? DEFAULT_MAX_BLOCKING_MS);
  // C has one policy for both. A writer is reliable unless it or its topic sets something else.
  const isTimed = role === "writer" && qos.maxBlockingMs !== undefined;
  const reliability = qos.reliability ?? (isTimed ? "RELIABLE" : undefined);
  if (reliability !== undefined) {
    const kind = indexOf("reliability", RELIABILITY, reliability);
    dds.dds_qset_reliability(pointer, kind, maxBlocking);
  }
  if (qos.history !== undefined) setHistory(pointer, qos.history, qos.durability);
  if (qos.durability !== undefined) {
    dds.dds_qset_durability(pointer, indexOf("durability", DURABILITY, qos.durability));
  }
  if (qos.ownership !== undefined) {
    dds.dds_qset_ownership(pointer, indexOf("ownership", OWNERSHIP, qos.ownership));
  }
  if (qos.deadlineMs !== undefined) {
    dds.dds_qset_deadline(pointer, nanoseconds("deadlineMs", qos.deadlineMs));
  }
  if (qos.liveliness !== undefined) {
    const { kind, leaseMs } = qos.liveliness;
    const index = indexOf("liveliness", LIVELINESS, kind);
    dds.dds_qset_liveliness(pointer, index, nanoseconds("leaseMs", leaseMs));
  }
  if (qos.destinationOrder !== undefined) {
    const index = indexOf("destinationOrder", DESTINATION_ORDER, qos.destinationOrder);
    dds.dds_qset_destination_order(pointer, index);
  }
  if (qos.partition !== undefined) {
    withCString(qos.partition, (text) => dds.dds_qset_partition1(pointer, text));
  }
  if (qos.autodispose !== undefined) {
    if (typeof qos.autodispose !== "boolean") {
      throw new TypeError(
        `Cannot set autodispose: it must be true or false, but is ${String(qos.autodispose)}`,
      );
    }
    dds.dds_qset_writer_data_lifecycle(pointer, qos.autodispose);
  }
}

/** -1 means "no limit". */
function setHistory(
  pointer: Pointer,
  history: NonNullable<Qos["history"]>,
  durability: Qos["durability"],
): void {
  const { dds } = loadLibrary();
  const kind = indexOf("history", HISTORY, history.kind);
  const depth = history.kind === "KEEP_ALL" ? 1 : history.depth;
  if (!Number.isInteger(depth) || depth < 1 || depth > 2 ** 31 - 1) {
    throw new TypeError(
      `Cannot set history: depth must be a whole number above 0, but is ${depth}`,
    );
  }
  dds.dds_qset_history(pointer, kind, depth);
  // The durability service keeps samples for late joiners, in its own history.
  if (durability === "TRANSIENT_LOCAL") {
    dds.dds_qset_durability_service(pointer, 0n, kind, depth, -1, -1, -1);
  }
}
