/** The kinds of investigators. Tables separate them, because their results are not comparable. */

/** In the order of tables. */
export const KINDS = ["agent", "assisted", "rules", "floor"] as const;
export type Kind = (typeof KINDS)[number];

/** Meaning of a kind, for tables. */
export const KIND_MEANINGS: Readonly<Record<Kind, string>> = {
  agent: "thinks for itself",
  assisted: "a model between rules that test and refute its choices",
  rules: "no model",
  floor: "answers without looking at telemetry, or by one glance",
};

/** `alone` is a model without tools: it shows what the alert alone reveals. */
const FLOORS = /^(alone|constant|loudest|random|lookup|latest-change)\b/;

/** Returns the kind of an investigator from its name. */
export function kindOf(investigator: string): Kind {
  if (FLOORS.test(investigator)) return "floor";
  if (/^(assisted|ollama)\b/.test(investigator)) return "assisted";
  return investigator.startsWith("baseline") ? "rules" : "agent";
}
