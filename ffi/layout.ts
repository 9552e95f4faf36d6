/** The C layout of a type, as a C compiler for a 64-bit machine lays it out. */
import { checkStruct } from "./declaration.ts";
import { isPrimitive, PRIMITIVES, type StructDecl, type TypeDecl } from "./types.ts";

/** Size and alignment of a C value, bytes. */
export interface Layout {
  readonly size: number;
  readonly align: number;
}

/** A field of a C struct. */
export interface FieldLayout extends Layout {
  readonly name: string;
  readonly type: TypeDecl;
  readonly offset: number;
  readonly isKey: boolean;
}

export interface StructLayout extends Layout {
  readonly fields: readonly FieldLayout[];
}

/** Maximum size of a value: its C struct and all that it points to, bytes. */
export const MAX_VALUE_BYTES = 16 * 1024 * 1024;

const POINTER: Layout = { size: 8, align: 8 };
/** `uint32_t _maximum, _length; T *_buffer; bool _release;` */
export const SEQUENCE_LAYOUT = { size: 24, align: 8, length: 4, buffer: 8, release: 16 } as const;

export const alignUp = (offset: number, align: number): number => Math.ceil(offset / align) * align;

/** Size and alignment of a type as a C value. */
export function layoutOf(type: TypeDecl): Layout {
  if (type === "string") return POINTER;
  if (isPrimitive(type)) return { size: PRIMITIVES[type].size, align: PRIMITIVES[type].size };
  switch (type.kind) {
    case "string":
      return { size: type.bound + 1, align: 1 };
    case "enum":
      return { size: 4, align: 4 };
    case "sequence":
      return SEQUENCE_LAYOUT;
    case "array": {
      const element = layoutOf(type.of);
      return { size: element.size * type.length, align: element.align };
    }
    case "struct":
      return structLayout(type);
  }
}

const layouts = new WeakMap<StructDecl, StructLayout>();

/** The C layout of a struct. */
export function structLayout(struct: StructDecl): StructLayout {
  const known = layouts.get(struct);
  if (known !== undefined) return known;
  checkStruct(struct);
  const fields: FieldLayout[] = [];
  let offset = 0;
  let align = 1;
  for (const [name, type] of Object.entries(struct.fields)) {
    const layout = layoutOf(type);
    offset = alignUp(offset, layout.align);
    const isKey = struct.key?.includes(name) === true;
    fields.push({ name, type, offset, isKey, size: layout.size, align: layout.align });
    offset += layout.size;
    align = Math.max(align, layout.align);
  }
  const layout = { fields, align, size: alignUp(offset, align) };
  if (layout.size > MAX_VALUE_BYTES) {
    throw new TypeError(
      `Cannot declare struct ${struct.name}: it must have at most ${MAX_VALUE_BYTES} bytes in C, but has ${layout.size}`,
    );
  }
  layouts.set(struct, layout);
  return layout;
}
