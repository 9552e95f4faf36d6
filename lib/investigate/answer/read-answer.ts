/**
 * Reads an answer field by field. Synonyms of names are accepted. A malformed field is left out,
 * and a complaint names the field and the rule; the other fields are kept.
 */
import {
  type Answer,
  AnswerShape,
  asSet,
  type Citation,
  CULPRITS,
  MAX_FAULTS,
  type Remedy,
} from "../../contract/answer.ts";
import { FAULT_CLASS_NAMES, REMEDIATION_NAMES } from "../../contract/fault-classes.ts";
import { SERVICES } from "../../contract/topology.ts";
import { culpritNamed, probabilityNamed, serviceNamed, timeNamed, wordOf } from "./names.ts";

export interface ReadAnswer {
  /** Null when the raw answer has no diagnosis. */
  readonly answer: Answer | null;
  /** The unreadable fields, each with its rule. */
  readonly complaints: readonly string[];
  /** The stated confidence, also of an answer with other defects. */
  readonly statedConfidence: number | undefined;
}

/** The confidence of an answer that states none. */
export const UNSTATED_CONFIDENCE = 0.5;

const MAX_CITATIONS = 24;
const MAX_STEPS = 12;

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const CLASSES = [...FAULT_CLASS_NAMES, "unknown"] as const;
const NULL_OR_SERVICE = `null or one of ${SERVICES.join(", ")}`;
const NULL_OR_CULPRIT = `null or one of ${CULPRITS.join(", ")}`;

/** Reads the fields of one object. Each field that breaks its rule adds a complaint. */
class Reader {
  readonly #fields: Fields;
  readonly #path: string;
  readonly complaints: string[];

  /** `path` names the object in complaints, such as `faults.0.`. */
  constructor(raw: unknown, path = "", complaints: string[] = []) {
    this.#fields = isFields(raw) ? raw : {};
    this.#path = path;
    this.complaints = complaints;
  }

  /** The raw value of a field. */
  said(name: string): unknown {
    return this.#fields[name];
  }

  /**
   * The value that `read` makes of a field; `otherwise`, and a complaint, when it returns
   * undefined.
   */
  field<Value>(
    name: string,
    rule: string,
    read: (said: unknown) => Value | undefined,
    otherwise: Value,
  ): Value {
    const said = this.#fields[name];
    const value = read(said);
    if (value !== undefined) return value;
    const shown = said === undefined ? "missing" : (JSON.stringify(said) ?? "unreadable");
    this.complaints.push(`${this.#path}${name}: must be ${rule}, but is ${shown.slice(0, 80)}`);
    return otherwise;
  }

  /** A text, cut to its maximum length. */
  text(name: string, max: number): string {
    return this.field(name, "a text", (said) => cut(said, max), "");
  }

  /** A text that may be missing, cut to its maximum length. */
  optionalText(name: string, max: number): string {
    return cut(this.said(name), max) ?? "";
  }

  /** A list, cut to its maximum length; undefined when the field is not a list. */
  list(name: string, max: number): readonly unknown[] | undefined {
    const said = this.#fields[name];
    if (!Array.isArray(said)) return undefined;
    if (said.length > max) {
      this.complaints.push(
        `${name}: must have at most ${max} entries, but has ${said.length}; the first ${max} count`,
      );
    }
    return said.slice(0, max);
  }

  /** The readable entries of a list; one with a complaint is left out. */
  entries<Entry>(name: string, max: number, read: (entry: Reader) => Entry): Entry[] {
    const list = this.field(
      name,
      "a list",
      (said) => (said === undefined || said === null ? [] : this.list(name, max)),
      [],
    );
    return list.flatMap((raw, i) => {
      const own = new Reader(raw, `${name}.${i}.`);
      const entry = read(own);
      this.complaints.push(...own.complaints);
      return own.complaints.length === 0 ? [entry] : [];
    });
  }
}

const cut = (said: unknown, max: number): string | undefined =>
  typeof said === "string" ? said.slice(0, max) : undefined;

export function readAnswer(raw: unknown): ReadAnswer {
  const reader = new Reader(asSet(raw));
  const { complaints } = reader;
  const statedConfidence = probabilityNamed(reader.said("confidence"));
  const list = reader.list("faults", MAX_FAULTS);
  if (list === undefined) {
    const rule = `a list of none to ${MAX_FAULTS} faults with culprit, fault_class and remediation`;
    reader.field("faults", rule, () => undefined, null);
    return { answer: null, complaints, statedConfidence };
  }
  const shared = reader.said("remediation");
  const answer = asSet({
    faults: list.map((fault, i) => faultFrom(fault, `faults.${i}.`, shared, complaints)),
    mechanism: reader.text("mechanism", 2000),
    onset: reader.field(
      "onset",
      "null or a time in ISO 8601",
      (said) => (said === undefined || said === null || said === "" ? null : timeNamed(said)),
      null,
    ),
    causal_chain: reader.entries("causal_chain", MAX_STEPS, (step) => ({
      service: step.field(
        "service",
        `one of ${SERVICES.join(", ")}`,
        (said) => serviceNamed(said) ?? undefined,
        SERVICES[0],
      ),
      effect: step.text("effect", 500),
    })),
    evidence: reader.entries("evidence", MAX_CITATIONS, (citation): Citation => ({
      call_id: citation.text("call_id", 32),
      signal: citation.text("signal", 200),
      service: citation.field(
        "service",
        NULL_OR_SERVICE,
        (said) => serviceNamed(said ?? null),
        null,
      ),
      value: citation.field("value", "a number or a text", valueOf, ""),
      claim: citation.optionalText("claim", 500),
    })),
    confidence: reader.field(
      "confidence",
      "a number from 0 to 1",
      () => statedConfidence,
      UNSTATED_CONFIDENCE,
    ),
    alternatives: reader.entries("alternatives", MAX_STEPS, (other) => ({
      service: other.field("service", NULL_OR_CULPRIT, (said) => culpritNamed(said ?? null), null),
      fault_class: wordOf(CLASSES, other.said("fault_class")) ?? "unknown",
      ruled_out_by: other.optionalText("ruled_out_by", 500),
    })),
  });
  return { answer: AnswerShape.parse(answer), complaints, statedConfidence };
}

/** One fault; its class can still be `none`. `shared` is the remedy for all faults. */
function faultFrom(raw: unknown, path: string, shared: unknown, complaints: string[]) {
  const reader = new Reader(raw, path, complaints);
  const fault_class = reader.field(
    "fault_class",
    `one of ${CLASSES.join(", ")} (what is not listed counts as unknown)`,
    (said) => (said === null ? "unknown" : wordOf(CLASSES, said)),
    "unknown",
  );
  if (fault_class === "none") return { culprit: null, fault_class, remediation: NOTHING };
  const culprit = reader.field("culprit", NULL_OR_CULPRIT, culpritNamed, null);
  const remedy = reader.said("remediation") ?? shared;
  return { culprit, fault_class, remediation: remedyFrom(remedy, path, complaints) };
}

const NOTHING: Remedy = { action: "no_action", target: null, parameters: {}, prose: "" };

function remedyFrom(raw: unknown, path: string, complaints: string[]): Remedy {
  const fields = isFields(raw) ? raw : { action: raw };
  const reader = new Reader(fields, `${path}remediation.`, complaints);
  const given = isFields(fields["parameters"]) ? Object.entries(fields["parameters"]) : [];
  const parameters = given.filter(
    (entry): entry is [string, string | number] =>
      // A number such as 1e999 is parsed as Infinity.
      typeof entry[1] === "string" || Number.isFinite(entry[1]),
  );
  return {
    action: reader.field(
      "action",
      `one of ${REMEDIATION_NAMES.join(", ")}`,
      (said) => wordOf(REMEDIATION_NAMES, said),
      "gather_more_evidence",
    ),
    target: reader.field("target", NULL_OR_CULPRIT, (said) => culpritNamed(said ?? null), null),
    parameters: Object.fromEntries(parameters),
    prose: reader.optionalText("prose", 2000),
  };
}

function valueOf(said: unknown): number | string | undefined {
  if (typeof said === "string") return said.slice(0, 300);
  return typeof said === "number" && Number.isFinite(said) ? said : undefined;
}
