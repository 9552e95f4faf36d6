/**
 * Reads an answer field by field. Names in other words are understood, and a malformed field costs
 * itself alone: it is left out, and a complaint names the field and the rule.
 */
import {
  type Answer,
  AnswerShape,
  asSet,
  type Citation,
  CULPRITS,
  MAX_FAULTS,
  type NamedFault,
  type Remedy,
} from "../../contract/answer.ts";
import { FAULT_CLASS_NAMES, REMEDIATION_NAMES } from "../../contract/fault-classes.ts";
import { SERVICES } from "../../contract/topology.ts";
import { culpritNamed, probabilityNamed, serviceNamed, timeNamed, wordOf } from "./names.ts";

export interface ReadAnswer {
  /** Null when there is no diagnosis in it. */
  readonly answer: Answer | null;
  /** What could not be read: field and rule. */
  readonly complaints: readonly string[];
  /** The confidence that it states, whatever else is wrong with it. */
  readonly statedConfidence: number | undefined;
}

/** The confidence of an answer that states none. */
export const UNSTATED_CONFIDENCE = 0.5;

const MAX_CITATIONS = 24;
const MAX_STEPS = 12;

type Fields = Readonly<Record<string, unknown>>;

/** Collects what could not be read. */
class Complaints {
  readonly list: string[] = [];

  /** Returns `read`, or `otherwise` with a complaint when it is undefined. */
  unless<Value>(
    read: Value | undefined,
    otherwise: Value,
    field: string,
    rule: string,
    said: unknown,
  ): Value {
    if (read !== undefined) return read;
    const shown = said === undefined ? "missing" : (JSON.stringify(said) ?? "unreadable");
    this.list.push(`${field}: must be ${rule}, but is ${shown.slice(0, 80)}`);
    return otherwise;
  }
}

export function readAnswer(raw: unknown): ReadAnswer {
  const complaints = new Complaints();
  const set = asSet(raw);
  const fields = isFields(set) ? set : {};
  const statedConfidence = probabilityNamed(fields["confidence"]);
  const list = listOf(fields, "faults", MAX_FAULTS, complaints);
  if (list === undefined) {
    const rule = `a list of none to ${MAX_FAULTS} faults with culprit, fault_class and remediation`;
    complaints.unless(undefined, null, "faults", rule, fields["faults"]);
    return { answer: null, complaints: complaints.list, statedConfidence };
  }
  const faults = list.map((fault, i) => faultIn(fault, fields, `faults.${i}`, complaints));
  const answer = asSet({
    faults,
    mechanism: textIn(fields, "mechanism", 2000, "", complaints),
    onset: onsetIn(fields["onset"], complaints),
    causal_chain: chainIn(fields, complaints),
    evidence: evidenceIn(fields, complaints),
    confidence: complaints.unless(
      statedConfidence,
      UNSTATED_CONFIDENCE,
      "confidence",
      "a number from 0 to 1",
      fields["confidence"],
    ),
    alternatives: alternativesIn(fields, complaints),
  });
  return { answer: AnswerShape.parse(answer), complaints: complaints.list, statedConfidence };
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const CLASSES = [...FAULT_CLASS_NAMES, "unknown"] as const;

/** One fault, still with the class `none` if it says so. */
function faultIn(
  raw: unknown,
  answer: Fields,
  path: string,
  complaints: Complaints,
): Omit<NamedFault, "fault_class"> & { fault_class: (typeof CLASSES)[number] } {
  const fields = isFields(raw) ? raw : {};
  const fault_class = complaints.unless(
    fields["fault_class"] === null ? "unknown" : wordOf(CLASSES, fields["fault_class"]),
    "unknown",
    `${path}.fault_class`,
    `one of ${CLASSES.join(", ")} (what is not listed counts as unknown)`,
    fields["fault_class"],
  );
  const culprit =
    fault_class === "none"
      ? null
      : complaints.unless(
          culpritNamed(fields["culprit"]),
          null,
          `${path}.culprit`,
          `null or one of ${CULPRITS.join(", ")}`,
          fields["culprit"],
        );
  const remedy = fields["remediation"] ?? answer["remediation"];
  const where = `${path}.remediation`;
  const remediation = fault_class === "none" ? NOTHING : remedyIn(remedy, where, complaints);
  return { culprit, fault_class, remediation };
}

const NOTHING: Remedy = { action: "no_action", target: null, parameters: {}, prose: "" };

function remedyIn(raw: unknown, path: string, complaints: Complaints): Remedy {
  const fields = isFields(raw) ? raw : { action: raw };
  const action = complaints.unless(
    wordOf(REMEDIATION_NAMES, fields["action"]),
    "gather_more_evidence",
    `${path}.action`,
    `one of ${REMEDIATION_NAMES.join(", ")}`,
    fields["action"],
  );
  const target = complaints.unless(
    culpritNamed(fields["target"] ?? null),
    null,
    `${path}.target`,
    `null or one of ${CULPRITS.join(", ")}`,
    fields["target"],
  );
  const given = isFields(fields["parameters"]) ? Object.entries(fields["parameters"]) : [];
  const parameters = given.filter(
    (entry): entry is [string, string | number] =>
      // A number as large as 1e999 is infinite when it was read.
      typeof entry[1] === "string" || Number.isFinite(entry[1]),
  );
  const prose = typeof fields["prose"] === "string" ? fields["prose"].slice(0, 2000) : "";
  return { action, target, parameters: Object.fromEntries(parameters), prose };
}

function onsetIn(said: unknown, complaints: Complaints): string | null {
  const isUnsaid = said === undefined || said === null || said === "";
  const rule = "null or a time in ISO 8601";
  return complaints.unless(isUnsaid ? null : timeNamed(said), null, "onset", rule, said);
}

/** A text, cut to its maximum length. */
function textIn(
  fields: Fields,
  name: string,
  max: number,
  otherwise: string,
  complaints: Complaints,
  path = name,
): string {
  const said = fields[name];
  const text = typeof said === "string" ? said.slice(0, max) : undefined;
  return complaints.unless(text, otherwise, path, "a text", said);
}

/** A list, cut to its maximum length; undefined when the field is no list. */
function listOf(
  fields: Fields,
  name: string,
  max: number,
  complaints: Complaints,
): readonly unknown[] | undefined {
  const said = fields[name];
  if (!Array.isArray(said)) return undefined;
  if (said.length > max) {
    complaints.list.push(
      `${name}: must have at most ${max} entries, but has ${said.length}; the first ${max} count`,
    );
  }
  return said.slice(0, max);
}

/** The readable entries of a list; one with a complaint is left out. */
function entriesOf<Entry>(
  fields: Fields,
  name: string,
  max: number,
  complaints: Complaints,
  read: (entry: Fields, path: string, own: Complaints) => Entry,
): Entry[] {
  const isUnsaid = fields[name] === undefined || fields[name] === null;
  const list = isUnsaid ? [] : listOf(fields, name, max, complaints);
  return complaints.unless(list, [], name, "a list", fields[name]).flatMap((raw, i) => {
    const own = new Complaints();
    const entry = read(isFields(raw) ? raw : {}, `${name}.${i}`, own);
    complaints.list.push(...own.list);
    return own.list.length === 0 ? [entry] : [];
  });
}

const chainIn = (fields: Fields, complaints: Complaints): Answer["causal_chain"] =>
  entriesOf(fields, "causal_chain", MAX_STEPS, complaints, (entry, path, own) => ({
    service: serviceIn(entry["service"], `${path}.service`, own) ?? SERVICES[0],
    effect: textIn(entry, "effect", 500, "", own, `${path}.effect`),
  }));

/** A service that must be named; null, with a complaint, when it is not. */
function serviceIn(
  said: unknown,
  path: string,
  complaints: Complaints,
): Answer["causal_chain"][number]["service"] | null {
  const named = serviceNamed(said) ?? undefined;
  return complaints.unless(named ?? undefined, null, path, `one of ${SERVICES.join(", ")}`, said);
}

const evidenceIn = (fields: Fields, complaints: Complaints): Citation[] =>
  entriesOf(fields, "evidence", MAX_CITATIONS, complaints, (entry, path, own) => ({
    call_id: textIn(entry, "call_id", 32, "", own, `${path}.call_id`),
    signal: textIn(entry, "signal", 200, "", own, `${path}.signal`),
    service: own.unless(
      serviceNamed(entry["service"] ?? null),
      null,
      `${path}.service`,
      `null or one of ${SERVICES.join(", ")}`,
      entry["service"],
    ),
    value: own.unless(
      valueOf(entry["value"]),
      "",
      `${path}.value`,
      "a number or a text",
      entry["value"],
    ),
    claim: typeof entry["claim"] === "string" ? entry["claim"].slice(0, 500) : "",
  }));

function valueOf(said: unknown): number | string | undefined {
  if (typeof said === "string") return said.slice(0, 300);
  return typeof said === "number" && Number.isFinite(said) ? said : undefined;
}

const alternativesIn = (fields: Fields, complaints: Complaints): Answer["alternatives"] =>
  entriesOf(fields, "alternatives", MAX_STEPS, complaints, (entry, path, own) => ({
    service: own.unless(
      culpritNamed(entry["service"] ?? null),
      null,
      `${path}.service`,
      `null or one of ${CULPRITS.join(", ")}`,
      entry["service"],
    ),
    fault_class: wordOf(CLASSES, entry["fault_class"]) ?? "unknown",
    ruled_out_by:
      typeof entry["ruled_out_by"] === "string" ? entry["ruled_out_by"].slice(0, 500) : "",
  }));
