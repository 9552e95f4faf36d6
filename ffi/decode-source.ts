/**
 * Generates the code that reads serialized samples of a type: straight-line code, because one
 * closure for each field took twice as long. Names of a declaration are inserted as JSON only.
 */
import { isPrimitive, PRIMITIVES, type TypeDecl } from "./types.ts";

/** A field that is not a struct. */
export interface Leaf {
  readonly name: string;
  readonly isKey: boolean;
  readonly type: TypeDecl;
  /** Index of its start in `Sample.starts`. */
  readonly slot: number;
  /** Alignment and size as serialized. */
  readonly align: number;
  readonly size: number | "text" | "other";
}

export interface Group {
  readonly name: string;
  readonly isKey: boolean;
  readonly nested: readonly Field[];
}

export type Field = Leaf | Group;

export const isGroup = (field: Field): field is Group => "nested" in field;

/**
 * Returns the source of a function `(sample, accessors)` that finds the start of each of `leaves`
 * in a sample after begin(). `leaves` are in the order of serialization; `accessors` has one for
 * each slot.
 */
export function locateSource(leaves: readonly Leaf[]): string {
  const steps = leaves.map(({ slot, align, size }) => {
    const step = align === 8 ? "sample.maxAlign" : String(align);
    const start = `at = (at + ${step} - 1) & -${step}; starts[${slot}] = at;`;
    const check = "if (at > end) sample.refuse(at);";
    if (size === "other") {
      return `${start} sample.at = at; accessors[${slot}].skip(sample); at = sample.at; ${check}`;
    }
    if (size !== "text") return `${start} at += ${size}; ${check}`;
    return `${start} if (at + 4 > end) sample.refuse(at + 4); at += 4 + view.getUint32(at, true); ${check}`;
  });
  return `(sample, accessors) => { const { starts, end, block: { view } } = sample; let { at } = sample; ${steps.join("\n")} }`;
}

/**
 * Returns the source of an object whose getters read the fields of `sample`. `accessors`,
 * `readText` and `refuseMissing` must be in scope.
 */
export function viewSource(plan: readonly Field[]): string {
  const fields = plan.map((field) => {
    const name = JSON.stringify(field.name);
    if (isGroup(field)) return `${name}: ${viewSource(field.nested)}`;
    const { slot, type } = field;
    const start = `const start = starts[${slot}]; if (start < 0) refuseMissing(${name}, start);`;
    return `get ${name}() { ${start} return ${readSource(type, slot)}; }`;
  });
  return `Object.freeze({ ${fields.join(",\n")} })`;
}

/** Returns the source of a function `(view)` that copies the view's fields into an object. */
export function copySource(plan: readonly Field[]): string {
  return `(view) => (${copyOf(plan, "view")})`;
}

function copyOf(plan: readonly Field[], view: string): string {
  const fields = plan.map((field) => {
    const name = JSON.stringify(field.name);
    const value = `${view}[${name}]`;
    return `${name}: ${isGroup(field) ? copyOf(field.nested, value) : value}`;
  });
  return `{ ${fields.join(", ")} }`;
}

/** Returns the source that reads the field at `start`. */
function readSource(type: TypeDecl, slot: number): string {
  if (isPrimitive(type)) {
    const value = `sample.block.view.get${PRIMITIVES[type].view}(start, true)`;
    return type === "bool" ? `${value} !== 0` : value;
  }
  if (type === "string" || type.kind === "string") return "readText(sample.block, start)";
  return `accessors[${slot}].read(sample, start)`;
}
