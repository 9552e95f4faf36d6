/**
 * Makes the table of the floor `lookup` from stored runs: for each alert's name, the cause of most
 * of its incidents. An incident counts once, whatever the number of investigators.
 *
 *     bun lib/investigate/floors/bench/make-lookup.ts <folder> > lib/investigate/floors/lookup.json
 *
 * The folder must hold runs of other incidents than those that the floor will examine.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { UsageError } from "../../../base/errors.ts";
import { AlertSchema } from "../../../contract/alert.ts";
import { FAULT_CLASS_NAMES } from "../../../contract/fault-classes.ts";
import { SERVICES } from "../../../contract/topology.ts";
import type { Lookup } from "../lookup.ts";

const CauseSchema = z.object({
  culprit: z.enum(SERVICES).nullable(),
  fault_class: z.enum(FAULT_CLASS_NAMES),
});
type Cause = z.infer<typeof CauseSchema>;
const NOTHING: Cause = { culprit: null, fault_class: "none" };

const RunSchema = z.object({
  seed: z.number(),
  outcome: z.object({ kind: z.string() }),
  /** Takes the first of several faults: the table has one cause for each alert. */
  truth: z.array(CauseSchema).transform(([first = NOTHING]) => first),
});

interface Incident {
  readonly alertName: string;
  readonly seed: number;
  readonly truth: Cause;
}

async function incidentsIn(folder: string): Promise<Incident[]> {
  const found = new Map<number, Incident>();
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted()) {
    if (!path.endsWith("manifest.json")) continue;
    const { seed, truth, outcome } = RunSchema.parse(await Bun.file(join(folder, path)).json());
    if (outcome.kind !== "valid") continue;
    const alert = join(folder, path, "../alert.json");
    const { alert_name: alertName } = AlertSchema.parse(await Bun.file(alert).json());
    found.set(seed, { alertName, seed, truth });
  }
  return [...found.values()];
}

/** The cause of most incidents of each alert; among equals the first by name. */
export function lookupOf(incidents: readonly Incident[], made: string): Lookup {
  const names = [...new Set(incidents.map(({ alertName }) => alertName))].toSorted();
  const answers = names.map((name) => {
    const own = incidents.filter(({ alertName }) => alertName === name);
    const counts = new Map<string, number>();
    for (const { truth } of own) {
      const key = JSON.stringify([truth.fault_class, truth.culprit]);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const [best] = [...counts].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
    const [faultClass, culprit] = JSON.parse(best?.[0] ?? "") as [
      Cause["fault_class"],
      Cause["culprit"],
    ];
    const counted = { incidents: own.length, agreed: best?.[1] ?? 0 };
    return [name, { culprit, fault_class: faultClass, ...counted }] as const;
  });
  const seeds = incidents.map(({ seed }) => seed).toSorted((a, b) => a - b);
  return { made, seeds, answers: Object.fromEntries(answers) };
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) {
    throw new UsageError("Cannot make the table: a folder with runs must be given");
  }
  const incidents = await incidentsIn(folder);
  const made = `by make-lookup.ts from the ${incidents.length} incidents in ${folder}: the cause that most incidents of an alert had, of several the first by name`;
  process.stdout.write(`${JSON.stringify(lookupOf(incidents, made), null, 2)}\n`);
}
