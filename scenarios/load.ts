/** Finds scenarios by their folders and validates every key. */
import { readdir } from "node:fs/promises";
import { z } from "zod";
import { UsageError } from "../lib/base/errors.ts";
import { type Alert, AlertSchema } from "../lib/contract/alert.ts";
import { ALERT_RULES_FILE, parseAlertRules } from "../lib/contract/alert-rules.ts";
import { isServiceName, SERVICES } from "../lib/contract/topology.ts";
import { type Truth, TruthSchema } from "../lib/truth/truth.ts";
import {
  DEFAULT_DEADLINES,
  type Deadlines,
  type Fault,
  type Scenario,
  type ScenarioDefinition,
} from "./define.ts";
import { composeScenario, isComposed } from "./compose.ts";
import { renderRubric } from "./rubric.ts";

export type { Scenario } from "./define.ts";

const isFunction = (value: unknown): boolean => typeof value === "function";
const aFunction = z.custom<never>(isFunction, "it must be a function");

const milliseconds = z.number().positive();

const RULES = parseAlertRules(
  await Bun.file(new URL(`../${ALERT_RULES_FILE}`, import.meta.url)).text(),
);

const AlertChoiceSchema = z.strictObject({
  uid: z.enum(RULES.map(({ uid }) => uid)),
  labels: z.record(z.string(), z.string()).refine(
    (labels) => {
      const instance = labels["instance"];
      return instance === undefined || isServiceName(instance.split(":")[0] ?? "");
    },
    { path: ["instance"], error: `it must begin with one of ${SERVICES.join(", ")}` },
  ),
});

const SignatureSchema = z.strictObject({ describe: z.string().min(1), holds: aFunction });

const DefinitionSchema = z.strictObject({
  title: z.string().min(1),
  control: z.boolean().default(false),
  fault: z.strictObject({
    kind: z.string().min(1),
    parameters: z
      .object({ service: z.enum(SERVICES).optional() })
      .catchall(z.union([z.string(), z.number()])),
    inject: aFunction,
    probe: aFunction,
    remedied: aFunction.optional(),
  }),
  signature: SignatureSchema,
  harm: SignatureSchema.optional(),
  alert: z.preprocess((alert) => [alert].flat(), z.array(AlertChoiceSchema).min(1)),
  investigate: z.enum(["while-firing", "after-heal", "after-resolved"]).default("while-firing"),
  deadlines: z
    .strictObject({
      baselineMs: milliseconds,
      injectMs: milliseconds,
      signatureMs: milliseconds,
      alertMs: milliseconds,
      signatureAfterMs: milliseconds,
      healMs: milliseconds,
      resolvedMs: milliseconds,
      recoveryMs: milliseconds,
    } satisfies Record<keyof Deadlines, z.ZodNumber>)
    .partial()
    .default({}),
  metric: z.strictObject({
    title: z.string().min(1),
    query: z.string().min(1),
    threshold: z.number().optional(),
  }),
  truth: TruthSchema,
});

const NAME = /^[a-z][a-z0-9-]*$/;
/** Other folder names in the results. */
const RESERVED: ReadonlySet<string> = new Set(["runs", "latest", "published"]);

/** The names of all scenarios below `root`: the folders with a scenario.ts. */
export async function listScenarios(root: string = import.meta.dir): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true });
  const names: string[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    if (await Bun.file(`${root}/${entry.name}/scenario.ts`).exists()) names.push(entry.name);
  }
  return names.toSorted();
}

/**
 * Loads the scenario `name`: a folder, or faults of kinds such as `process-exit.eo-sensor`. Throws
 * UsageError with the file, the key and the rule if its folder is invalid.
 */
export async function loadScenario(
  name: string,
  root: string = import.meta.dir,
): Promise<Scenario> {
  if (isComposed(name)) return composeScenario(name, `${root}/kinds`);
  const known = await listScenarios(root);
  if (!NAME.test(name) || !known.includes(name)) {
    throw new UsageError(
      `Cannot load scenario ${JSON.stringify(name)}: it must be one of ${known.join(", ")}`,
    );
  }
  if (RESERVED.has(name)) {
    throw new UsageError(
      `Cannot load scenarios/${name}/scenario.ts: the name is taken by a folder of the results`,
    );
  }
  const folder = `${root}/${name}`;
  const module = await importScenario(`${folder}/scenario.ts`, name);
  const definition = parseDefinition(module, `scenarios/${name}/scenario.ts`);
  const alertTemplate = await readAlert(`${folder}/alert.json`, name);
  const truth = definition.truth;
  await checkExpectedRca(`${folder}/expected_rca.md`, name, truth);
  // Zod returns copies; these are the original functions.
  const { alert, ...original } = module as ScenarioDefinition;
  return {
    ...original,
    name,
    alerts: [alert].flat(),
    control: definition.control,
    investigate: definition.investigate,
    fault: original.fault satisfies Fault,
    harm: original.harm ?? original.signature,
    deadlines: { ...DEFAULT_DEADLINES, ...original.deadlines },
    alertTemplate,
  };
}

/** Validates every key of a definition. Throws UsageError with `file`, the key and the rule. */
export const parseDefinition = (
  definition: unknown,
  file: string,
): z.output<typeof DefinitionSchema> => check(DefinitionSchema, definition, file);

/**
 * The scenario `name` of a kept result; undefined when there is no such folder or kind any more.
 * Throws UsageError when something in its folder is wrong.
 */
export async function findScenario(name: string): Promise<Scenario | undefined> {
  if (!isComposed(name)) {
    return (await listScenarios()).includes(name) ? loadScenario(name) : undefined;
  }
  try {
    return await composeScenario(name);
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

/** Loads all scenarios, the controls last. */
export async function loadAllScenarios(root: string = import.meta.dir): Promise<Scenario[]> {
  const names = await listScenarios(root);
  const all = await Promise.all(names.map((name) => loadScenario(name, root)));
  return all.toSorted(
    (a, b) => Number(a.control) - Number(b.control) || (a.name < b.name ? -1 : 1),
  );
}

async function importScenario(path: string, name: string): Promise<unknown> {
  let module: { scenario?: unknown };
  try {
    module = (await import(path)) as { scenario?: unknown };
  } catch (error) {
    throw new UsageError(
      `Cannot load scenarios/${name}/scenario.ts: it must be a module that compiles: ${(error as Error).message}`,
      { cause: error },
    );
  }
  if (module.scenario === undefined) {
    throw new UsageError(`Cannot load scenarios/${name}/scenario.ts: it must export \`scenario\``);
  }
  return module.scenario;
}

async function readAlert(path: string, name: string): Promise<Alert> {
  const file = `scenarios/${name}/alert.json`;
  let document: unknown;
  try {
    document = await Bun.file(path).json();
  } catch (error) {
    throw new UsageError(`Cannot load ${file}: it must be JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const alert = check(AlertSchema, document, file);
  const annotated = alert.commonAnnotations["scenario"];
  if (annotated !== name) {
    throw new UsageError(
      `Cannot load ${file}: commonAnnotations.scenario: it must be the folder's name, but is ${JSON.stringify(annotated)}`,
    );
  }
  return alert;
}

async function checkExpectedRca(path: string, name: string, truth: Truth): Promise<void> {
  const file = `scenarios/${name}/expected_rca.md`;
  if (!(await Bun.file(path).exists())) {
    throw new UsageError(`Cannot load ${file}: it must exist and hold the ground truth in words`);
  }
  const text = withoutTableLayout(await Bun.file(path).text());
  if (!text.includes(withoutTableLayout(renderRubric(truth)))) {
    throw new UsageError(
      `Cannot load ${file}: its rubric must match truth.ts; \`bun scenarios/rubric.ts ${name}\` prints it`,
    );
  }
}

/** A formatter may change a table's layout, which is not a difference. */
function withoutTableLayout(markdown: string): string {
  return markdown.replaceAll(/ *\| */g, "|").replaceAll(/-{3,}/g, "---");
}

function check<T>(schema: z.ZodType<T>, value: unknown, file: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const key = issue?.path.join(".") ?? "";
  throw new UsageError(`Cannot load ${file}: ${key === "" ? "" : `${key}: `}${issue?.message}`);
}
