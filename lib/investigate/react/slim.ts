/** Shortens tool descriptions, so that they fit the prompt of a small model. */
import { FAULT_CLASS_NAMES, REMEDIATION_NAMES } from "../../contract/fault-classes.ts";
import { CULPRITS } from "../../contract/answer.ts";
import { SERVICES } from "../../contract/topology.ts";
import { asObject } from "../model/text.ts";
import type { ToolDescription } from "../tools/toolset.ts";

/** Rules that the tool itself checks and explains when they are broken. */
const CHECKED_BY_THE_TOOL = new Set([
  "$schema",
  "additionalProperties",
  "pattern",
  "format",
  "maxLength",
  "minLength",
  "maxItems",
  "minItems",
  "minimum",
  "maximum",
  "default",
  "propertyNames",
]);

/** Values that may be in a list or not. */
const BESIDES = new Set(["unknown", "all", "none"]);

/** Lists that the instructions contain in full. */
const LISTED = [SERVICES, CULPRITS, FAULT_CLASS_NAMES, REMEDIATION_NAMES].map((names) =>
  names.filter((name) => !BESIDES.has(name)).join(),
);

export interface SlimOptions {
  /** Whether to omit the values of lists that the instructions contain. */
  readonly dropLists: boolean;
}

/** A tool with a shorter schema; the tool may still refuse what that schema allows. */
export const slimTool = (tool: ToolDescription, options: SlimOptions): ToolDescription => ({
  ...tool,
  parameters: slim(tool.parameters, options),
});

function slim(schema: unknown, options: SlimOptions): unknown {
  if (Array.isArray(schema)) return schema.map((one) => slim(one, options));
  const object = asObject(schema);
  if (object === null) return schema;
  const nullable = orNull(object["anyOf"]);
  if (nullable !== undefined) return withNull(slim(nullable, options) as object);
  return Object.fromEntries(
    Object.entries(object).flatMap(([name, value]) => {
      if (CHECKED_BY_THE_TOOL.has(name)) return [];
      if (name === "enum" && options.dropLists && isListed(value)) return [];
      if (name !== "properties") return [[name, slim(value, options)]];
      const properties = Object.entries(value as object).map(
        ([key, property]) => [key, slim(property, options)] as const,
      );
      return [[name, Object.fromEntries(properties)]];
    }),
  );
}

const isListed = (values: unknown): boolean =>
  Array.isArray(values) &&
  LISTED.some((list) => list === values.filter((one) => !BESIDES.has(String(one))).join());

/** The other schema of a choice between it and null. */
function orNull(choices: unknown): object | undefined {
  if (!Array.isArray(choices) || choices.length !== 2) return undefined;
  const isNull = (one: unknown): boolean => asObject(one)?.["type"] === "null";
  if (!choices.some(isNull)) return undefined;
  return choices.find((one) => !isNull(one)) as object;
}

function withNull(schema: object): object {
  const { enum: values, type, ...rest } = schema as { enum?: unknown[]; type?: string };
  return values === undefined
    ? { ...rest, type: [type ?? "string", "null"] }
    : { ...rest, enum: [...values, null] };
}
