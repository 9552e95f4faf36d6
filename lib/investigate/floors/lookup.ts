/**
 * `lookup`: looks the answer up in a table by the alert's name, without telemetry. It shows how
 * much the alert alone reveals. `bench/make-lookup.ts` makes the table from incidents with other
 * seeds than the examined ones; an incident of the table itself is marked.
 */
import { z } from "zod";
import { FAULT_CLASS_NAMES } from "../../contract/fault-classes.ts";
import { SERVICES } from "../../contract/topology.ts";
import { createFloor, type Guess } from "./floor.ts";
import table from "./lookup.json" with { type: "json" };

export const LookupSchema = z.strictObject({
  /** How the table was made. */
  made: z.string(),
  /** The seeds of the table's incidents. */
  seeds: z.array(z.number()),
  answers: z.record(
    z.string(),
    z.strictObject({
      culprit: z.enum(SERVICES).nullable(),
      fault_class: z.enum(FAULT_CLASS_NAMES),
      /** Incidents with this alert, and how many of them had this cause. */
      incidents: z.number().int().positive(),
      agreed: z.number().int().positive(),
    }),
  ),
});
export type Lookup = z.infer<typeof LookupSchema>;

const LOOKUP = LookupSchema.parse(table);

export const lookup = createFloor("lookup", ({ alert, seed }) =>
  guessFrom(LOOKUP, alert.alert_name, seed),
);

/** The guess for an alert's name; exported for tests. */
export function guessFrom({ answers, seeds }: Lookup, alertName: string, seed: number): Guess {
  const found = Object.hasOwn(answers, alertName) ? answers[alertName] : undefined;
  const details = { in_table: found !== undefined, seed_in_table: seeds.includes(seed) };
  if (found === undefined) {
    const mechanism = `The table has no alert "${alertName}".`;
    return { culprit: null, faultClass: "none", mechanism, confidence: 0, details };
  }
  const { culprit, fault_class, agreed, incidents } = found;
  return {
    culprit,
    faultClass: fault_class,
    mechanism: `${agreed} of ${incidents} incidents with the alert "${alertName}" had this cause.`,
    confidence: Math.round((100 * agreed) / incidents) / 100,
    details,
  };
}
