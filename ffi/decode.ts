/**
 * Reads serialized samples (CDR) in place.
 *
 * Cyclone has checked a sample and turned it into the machine's byte order before it gets here. One pass over a table of the
 * type's fields finds where each of them starts; a view's getters then read straight from the block, and nothing is
 * allocated for numbers, enums and text that was seen before.
 */
import { type Accessor, accessorOf } from "./accessor.ts";
import { HEADER_BYTES, Sample } from "./sample.ts";
import { isPrimitive, PRIMITIVE_SIZE, type StructDecl, type TypeDecl } from "./types.ts";

/** Sizes in the table of fields that are none: text, whose size stands before it, and what its accessor has to skip. */
const TEXT = -1;
const OTHER = -2;

/** A field that is no struct: one row of the table. */
interface Leaf {
  readonly name: string;
  readonly isKey: boolean;
  readonly slot: number;
  readonly accessor: Accessor;
  readonly align: number;
  readonly size: number;
}

interface Group {
  readonly name: string;
  readonly isKey: boolean;
  readonly nested: readonly Field[];
}

type Field = Leaf | Group;

/** Fields in the order in which they are serialized. */
class Table {
  readonly slots: Uint32Array;
  readonly aligns: Uint8Array;
  readonly sizes: Int32Array;
  readonly accessors: readonly Accessor[];

  constructor(leaves: readonly Leaf[]) {
    this.slots = Uint32Array.from(leaves, ({ slot }) => slot);
    this.aligns = Uint8Array.from(leaves, ({ align }) => align);
    this.sizes = Int32Array.from(leaves, ({ size }) => size);
    this.accessors = leaves.map(({ accessor }) => accessor);
  }

  /** Finds the start of each field of `sample`, which has to begin. */
  locate(sample: Sample): void {
    const { slots, aligns, sizes } = this;
    const { starts, end, maxAlign } = sample;
    const { view } = sample.block;
    let { at } = sample;
    for (let i = 0; i < slots.length; i++) {
      const align = Math.min(aligns[i] as number, maxAlign);
      at = (at + align - 1) & -align;
      starts[slots[i] as number] = at;
      const size = sizes[i] as number;
      if (size >= 0) at += size;
      else if (size === TEXT) {
        if (at + 4 > end) sample.refuse(at + 4);
        at += 4 + view.getUint32(at, true);
      } else {
        sample.at = at;
        this.accessors[i]?.skip(sample);
        at = sample.at;
      }
      if (at > end) sample.refuse(at);
    }
  }
}

/** Reads values of one type out of serialized samples. */
export class Decoder {
  readonly sample: Sample;
  /** The reused view. */
  readonly view: Readonly<Record<string, unknown>>;
  readonly #plan: readonly Field[];
  readonly #all: Table;
  readonly #key: Table;

  constructor(struct: StructDecl) {
    const slots = { count: 0 };
    this.#plan = planStruct(struct, slots);
    this.sample = new Sample(slots.count);
    this.view = makeView(this.#plan, this.sample);
    this.#all = new Table(leavesOf(this.#plan, false));
    // Without a key there is one instance, and its end says nothing more.
    const isKeyed = this.#plan.some(({ isKey }) => isKey);
    this.#key = new Table(isKeyed ? leavesOf(this.#plan, true) : []);
  }

  /**
   * Locates the fields of the serialized sample of `size` bytes, header included, that starts at `start` of the block; afterwards
   * the view shows it. Throws RangeError when it is too short.
   */
  open(start: number, size: number, keyOnly: boolean): void {
    if (size < HEADER_BYTES) this.sample.refuse(HEADER_BYTES);
    this.sample.begin(start, size);
    if (keyOnly) this.sample.starts.fill(-1);
    (keyOnly ? this.#key : this.#all).locate(this.sample);
  }

  /** Copies what the view shows into a plain object of its own. */
  object(keyOnly: boolean): Record<string, unknown> {
    if (keyOnly && !this.#plan.some(({ isKey }) => isKey)) return {};
    return copy(this.#plan, this.view, keyOnly);
  }
}

function planStruct(struct: StructDecl, slots: { count: number }): readonly Field[] {
  return Object.entries(struct.fields).map(([name, type]) => {
    const isKey = struct.key?.includes(name) === true;
    if (typeof type !== "string" && type.kind === "struct") {
      return { name, isKey, nested: planStruct(type, slots) };
    }
    return { name, isKey, slot: slots.count++, accessor: accessorOf(type), ...extentOf(type) };
  });
}

/** Alignment and size as serialized. */
function extentOf(type: TypeDecl): { readonly align: number; readonly size: number } {
  if (isPrimitive(type)) return { align: PRIMITIVE_SIZE[type], size: PRIMITIVE_SIZE[type] };
  if (type === "string" || type.kind === "string") return { align: 4, size: TEXT };
  if (type.kind === "enum") return { align: 4, size: 4 };
  return { align: 1, size: OTHER };
}

const isGroup = (field: Field): field is Group => "nested" in field;

/** The fields that count: of a struct without keys every one of them. */
function counting(plan: readonly Field[], keyOnly: boolean): readonly Field[] {
  const keys = keyOnly ? plan.filter(({ isKey }) => isKey) : [];
  return keys.length > 0 ? keys : plan;
}

function leavesOf(plan: readonly Field[], keyOnly: boolean): readonly Leaf[] {
  return counting(plan, keyOnly).flatMap((field) =>
    isGroup(field) ? leavesOf(field.nested, keyOnly) : [field],
  );
}

function makeView(plan: readonly Field[], sample: Sample): Record<string, unknown> {
  const view: Record<string, unknown> = {};
  for (const field of plan) {
    const { name } = field;
    if (isGroup(field)) {
      const value = makeView(field.nested, sample);
      Object.defineProperty(view, name, { value, enumerable: true });
      continue;
    }
    const { slot, accessor } = field;
    const { starts } = sample;
    const { read } = accessor;
    const get = (): unknown => {
      const start = starts[slot] as number;
      if (start < 0) throw new TypeError(`Cannot read ${name}: the sample holds only its key`);
      return read(sample, start);
    };
    Object.defineProperty(view, name, { enumerable: true, get });
  }
  return view;
}

function copy(
  plan: readonly Field[],
  view: Readonly<Record<string, unknown>>,
  keyOnly: boolean,
): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const field of keyOnly ? counting(plan, true) : plan) {
    const value = view[field.name];
    object[field.name] = isGroup(field)
      ? copy(field.nested, value as Readonly<Record<string, unknown>>, keyOnly)
      : value;
  }
  return object;
}
