/**
 * Reads serialized samples (CDR) in place.
 *
 * Cyclone checks a sample and converts it to the machine's byte order first. One pass over the
 * type's fields finds the start of each. A view's getters then read from the block, and allocate
 * nothing for numbers, enums and text that was read before.
 */
import { type Accessor, accessorOf } from "./accessor.ts";
import { compile } from "./compile.ts";
import {
  copySource,
  type Field,
  isGroup,
  type Leaf,
  locateSource,
  viewSource,
} from "./decode-source.ts";
import { HEADER_BYTES, Sample } from "./sample.ts";
import { readText } from "./text.ts";
import { isPrimitive, PRIMITIVES, type StructDecl, type TypeDecl } from "./types.ts";

/** Values of `Sample.starts` for fields that cannot be read. */
const NOT_IN_KEY = -1;
const NOT_SHOWN = -2;

type Locate = (sample: Sample, accessors: readonly Accessor[]) => void;
type Values = Readonly<Record<string, unknown>>;
type Copy = (view: Values) => Record<string, unknown>;

/** Reads values of one type out of serialized samples. */
export class Decoder {
  readonly sample: Sample;
  /** The reused view. */
  readonly view: Values;
  readonly #copy: Copy;
  readonly #copyKey: Copy;
  readonly #accessors: readonly Accessor[];
  readonly #locateAll: Locate;
  readonly #locateKey: Locate;

  constructor(struct: StructDecl) {
    const plan = planStruct(struct, { count: 0 });
    const leaves = leavesOf(plan);
    this.#accessors = leaves.map(({ type }) => accessorOf(type));
    this.sample = new Sample(leaves.length);
    this.view = compile(
      {
        sample: this.sample,
        starts: this.sample.starts,
        accessors: this.#accessors,
        readText,
        refuseMissing,
      },
      viewSource(plan),
    ) as Values;
    this.#locateAll = compile({}, locateSource(leaves)) as Locate;
    // Without a key there is one instance, so a sample without data has no fields.
    const isKeyed = plan.some(({ isKey }) => isKey);
    const keys = isKeyed ? keysOf(plan) : [];
    this.#locateKey = compile({}, locateSource(leavesOf(keys))) as Locate;
    this.#copy = compile({}, copySource(plan)) as Copy;
    this.#copyKey = compile({}, copySource(keys)) as Copy;
    this.forget();
  }

  /**
   * Locates the fields of the serialized sample of `size` bytes, header included, that starts at
   * `start` of the block; afterwards the view shows it. Throws RangeError when it is too short.
   */
  open(start: number, size: number, keyOnly: boolean): void {
    if (size < HEADER_BYTES) this.sample.refuse(HEADER_BYTES);
    this.sample.begin(start, size);
    if (keyOnly) this.sample.starts.fill(NOT_IN_KEY);
    if (keyOnly) this.#locateKey(this.sample, this.#accessors);
    else this.#locateAll(this.sample, this.#accessors);
  }

  /** Whether the view shows a sample. */
  get isShowing(): boolean {
    return this.sample.starts[0] !== NOT_SHOWN;
  }

  /** Ends the visit: reading the view throws until the next open(). */
  forget(): void {
    this.sample.starts.fill(NOT_SHOWN);
  }

  /** Copies the current sample into a plain object. */
  object(keyOnly: boolean): Record<string, unknown> {
    return keyOnly ? this.#copyKey(this.view) : this.#copy(this.view);
  }
}

function planStruct(struct: StructDecl, slots: { count: number }): readonly Field[] {
  return Object.entries(struct.fields).map(([name, type]) => {
    const isKey = struct.key?.includes(name) === true;
    if (typeof type !== "string" && type.kind === "struct") {
      return { name, isKey, nested: planStruct(type, slots) };
    }
    return { name, isKey, type, slot: slots.count++, ...extentOf(type) };
  });
}

/** Alignment and size as serialized. */
function extentOf(type: TypeDecl): Pick<Leaf, "align" | "size"> {
  if (isPrimitive(type)) return { align: PRIMITIVES[type].size, size: PRIMITIVES[type].size };
  if (type === "string" || type.kind === "string") return { align: 4, size: "text" };
  if (type.kind === "enum") return { align: 4, size: 4 };
  return { align: 1, size: "other" };
}

/** The fields of the key. If a struct declares no key, all its fields. */
function keysOf(plan: readonly Field[]): readonly Field[] {
  const keys = plan.filter(({ isKey }) => isKey);
  return (keys.length > 0 ? keys : plan).map((field) =>
    isGroup(field) ? { ...field, nested: keysOf(field.nested) } : field,
  );
}

const leavesOf = (plan: readonly Field[]): readonly Leaf[] =>
  plan.flatMap((field) => (isGroup(field) ? leavesOf(field.nested) : [field]));

function refuseMissing(name: string, start: number): never {
  const why =
    start === NOT_SHOWN
      ? "the view shows no sample after the visit; copy what is kept"
      : "the sample holds only its key";
  throw new TypeError(`Cannot read ${name}: ${why}`);
}
