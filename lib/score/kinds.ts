/** The kinds of investigators. Tables keep them apart: they are not measured by the same thing. */

/** In the order of tables. */
export const KINDS = ["agent", "assisted", "rules", "floor"] as const;
export type Kind = (typeof KINDS)[number];

/** What a kind stands for, for tables. */
export const KIND_MEANINGS: Readonly<Record<Kind, string>> = {
  agent: "thinks for itself",
  assisted: "a model between rules that test and refute its choices",
  rules: "no model",
  floor: "answers without looking at telemetry, or by one glance",
};

/** `alone` is a model without tools: what the alert itself gives away. */
const FLOORS = /^(alone|constant|loudest|random|lookup|latest-change)\b/;

/** The kind of an investigator, by its name. */
export function kindOf(investigator: string): Kind {
  if (FLOORS.test(investigator)) return "floor";
  if (/^(assisted|ollama)\b/.test(investigator)) return "assisted";
  return investigator.startsWith("baseline") ? "rules" : "agent";
}
