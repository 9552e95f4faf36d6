/**
 * A kind of fault: its change, its targets, its range of intensity, and the resulting telemetry and
 * truth. `kinds/` has one file per kind; `compose.ts` makes scenarios from them.
 */
import { UsageError } from "../lib/base/errors.ts";
import { FAULT_CLASSES, type FaultClass, type Remediation } from "../lib/contract/fault-classes.ts";
import type { Culprit } from "../lib/contract/answer.ts";
import { isServiceName, type ServiceName } from "../lib/contract/topology.ts";
import type { AcceptedSignal, ExpectedEvidence, TrueFault } from "../lib/truth/truth.ts";
import type { Condition } from "./conditions.ts";
import type { AlertChoice, Deadlines, Fault } from "./define.ts";

/** The intensity of a kind's fault; every amount in the range must have an effect. */
export interface Intensity {
  readonly unit: string;
  readonly min: number;
  readonly max: number;
  /** Amounts are whole numbers. */
  readonly whole?: true;
}

/** A condition of a signature, and the evidence that a diagnosis can cite for it. */
export interface Sign extends Condition {
  /**
   * Undefined for signs that only exclude other faults. The first one of a kind shows its
   * mechanism.
   */
  readonly shows?: Omit<AcceptedSignal, "holds"> & {
    readonly kind: ExpectedEvidence["kind"];
    /** True if a healthy system shows the same. */
    readonly asUsual?: true;
  };
}

export interface Kind {
  /** One sentence; `$service` and `$amount` are replaced by target and amount. */
  readonly title: string;
  readonly faultClass: FaultClass;
  /** The culprit, if it is not the target. */
  readonly culprit?: Culprit;
  /** Answers that telemetry cannot distinguish from the class. */
  readonly alsoAccept?: TrueFault["also_accept"];
  /** Repairs, if the class's own do not fit. */
  readonly remedies?: readonly [Remediation, ...Remediation[]];
  /** Whether it is specific to DDS. */
  readonly dds?: true;
  /** Loads the whole machine: no other lab may run at the same time. */
  readonly alone?: true;
  /** Reserved for the declared test split: investigators must not know it. */
  readonly heldOut?: true;
  /** What it changes of its target. Two faults that change the same would undo each other. */
  readonly changes: "process" | "quota" | "network" | "machine";
  readonly targets: readonly ServiceName[];
  /** Null if it has no amount. */
  readonly intensity: Intensity | null;
  readonly fault: (service: ServiceName, amount: number) => Fault;
  readonly signature: (service: ServiceName, amount: number) => readonly Sign[];
  /** The alerts of which one should fire; empty if no rule is known to detect it. */
  readonly alerts: (service: ServiceName) => readonly AlertChoice[];
  readonly deadlines?: Partial<Deadlines>;
}

/** A kind with the name of its file. */
export interface NamedKind extends Kind {
  readonly name: string;
}

/** One fault: a kind, a target and an amount. */
export interface Draw {
  readonly kind: NamedKind;
  readonly service: ServiceName;
  /** 0 for a kind without intensity. */
  readonly amount: number;
}

export const defineKind = (kind: Kind): Kind => kind;

const CHANGES: ReadonlySet<string> = new Set(["process", "quota", "network", "machine"]);

/** Throws UsageError with file, key and rule for an invalid kind. */
export function checkKind(kind: NamedKind): void {
  const refuse = (key: string, rule: string): never => {
    throw new UsageError(`Cannot load scenarios/kinds/${kind.name}.ts: ${key}: it must ${rule}`);
  };
  if (!/^[a-z]+(-[a-z]+)+$/.test(kind.name)) {
    refuse(
      "name",
      "be two lower-case words or more with hyphens, which no telemetry has by chance",
    );
  }
  if (!(kind.faultClass in FAULT_CLASSES)) {
    refuse("faultClass", `be a class of lib/contract/fault-classes.ts, not ${kind.faultClass}`);
  }
  if (!CHANGES.has(kind.changes)) refuse("changes", `be one of ${[...CHANGES].join(", ")}`);
  if (kind.targets.length === 0 || !kind.targets.every(isServiceName)) {
    refuse("targets", "name services");
  }
  const { intensity } = kind;
  if (intensity !== null && !(intensity.min < intensity.max)) {
    refuse("intensity", "have a min below its max");
  }
  if (intensity?.unit === "") refuse("intensity.unit", "name a unit");
  for (const service of kind.targets) {
    for (const amount of intensity === null ? [0] : [intensity.min, intensity.max]) {
      const signs = kind.signature(service, amount);
      if (signs.length === 0) refuse("signature", `have a condition for ${service}`);
      if (kind.faultClass !== "none" && !signs.some(({ shows }) => shows !== undefined)) {
        refuse("signature", `show evidence of ${service}`);
      }
    }
  }
}

/** Throws UsageError for an impossible pair of kind and target, or an amount out of range. */
export function checkDraw({ kind, service, amount }: Draw): void {
  const refuse = (key: string, rule: string, value: unknown): never => {
    throw new UsageError(
      `Cannot use scenarios/kinds/${kind.name}.ts: ${key}: it must be ${rule}, but is ${JSON.stringify(value)}`,
    );
  };
  if (!kind.targets.includes(service)) {
    refuse("targets", `one of ${kind.targets.join(", ")}`, service);
  }
  if (kind.intensity === null) {
    if (amount !== 0) refuse("intensity", "absent: the fault is there or not", amount);
    return;
  }
  const { unit, min, max, whole } = kind.intensity;
  const inRange = amount >= min && amount <= max && (whole !== true || Number.isInteger(amount));
  if (!inRange) {
    const number = whole === true ? "a whole number" : "a number";
    refuse("intensity", `${number} of ${unit} from ${min} to ${max}`, amount);
  }
}

/** Throws UsageError if two of the faults would undo each other. */
export function checkTogether(draws: readonly Draw[]): void {
  for (const [i, one] of draws.entries()) {
    for (const other of draws.slice(0, i)) {
      const isSame = one.kind.changes === other.kind.changes;
      const isProcess = one.kind.changes === "process" || other.kind.changes === "process";
      if (isSame ? one.service === other.service || one.kind.changes === "machine" : false) {
        refuseBoth(other, one);
      }
      // A new process does not inherit the quota.
      if (isProcess && one.service === other.service) refuseBoth(other, one);
    }
  }
}

function refuseBoth(one: Draw, other: Draw): never {
  throw new UsageError(
    `Cannot use scenarios/kinds/${other.kind.name}.ts with ${one.kind.name}: changes: two faults must not undo each other, but both change ${one.service}`,
  );
}
