/** The canonical IDL text of types. */
import { PRIMITIVES, type StructDecl, type TypeDecl } from "./types.ts";

/**
 * Returns the IDL of these structs and of all types that they use, each after those that it needs.
 * All names must share one module, such as `cms::`.
 */
export function toIdl(structs: readonly StructDecl[]): string {
  const parts = new Map<string, string>();
  const visit = (type: TypeDecl): void => {
    if (typeof type === "string" || type.kind === "string") return;
    if (type.kind === "sequence" || type.kind === "array") {
      visit(type.of);
      return;
    }
    if (parts.has(type.name)) return;
    if (type.kind === "enum") {
      parts.set(type.name, `  enum ${localName(type.name)} { ${type.values.join(", ")} };`);
      return;
    }
    Object.values(type.fields).forEach(visit);
    const fields = Object.entries(type.fields).map(([name, field]) => {
      const key = type.key?.includes(name) === true ? "@key " : "";
      return `    ${key}${declarator(name, field)};`;
    });
    parts.set(
      type.name,
      `  @final\n  struct ${localName(type.name)} {\n${fields.join("\n")}\n  };`,
    );
  };
  structs.forEach(visit);
  const modules = new Set(
    [...parts.keys()].map((name) => name.split("::").slice(0, -1).join("::")),
  );
  const [module] = modules;
  if (modules.size !== 1 || module === undefined || module === "" || module.includes("::")) {
    throw new TypeError(
      `Cannot write IDL: all types must be in one module, but they are in ${[...modules].join(", ")}`,
    );
  }
  return `module ${module} {\n${[...parts.values()].join("\n\n")}\n};\n`;
}

const localName = (name: string): string => name.split("::").at(-1) ?? name;

function declarator(name: string, type: TypeDecl): string {
  if (typeof type !== "string" && type.kind === "array") {
    return `${typeText(type.of)} ${name}[${type.length}]`;
  }
  return `${typeText(type)} ${name}`;
}

function typeText(type: TypeDecl): string {
  if (type === "string") return "string";
  if (typeof type === "string") return PRIMITIVES[type].idl;
  switch (type.kind) {
    case "string":
      return `string<${type.bound}>`;
    case "sequence": {
      const bound = type.bound === undefined ? "" : `, ${type.bound}`;
      const of = typeText(type.of);
      // IDL reads two closing brackets in a row as a shift operator.
      return `sequence<${of}${bound === "" && of.endsWith(">") ? " " : bound}>`;
    }
    case "enum":
    case "struct":
      return localName(type.name);
    case "array":
      throw new TypeError("Cannot write IDL: an array inside a sequence or an array has no name");
  }
}
