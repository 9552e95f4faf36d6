/**
 * Reads a serialized sample (CDR) in place.
 *
 * Cyclone has checked the sample and turned it into the machine's byte order before it gets here. One pass finds
 * where each field starts; a view's getters then read straight from the block, and nothing is allocated
 * for numbers, enums and text that was seen before.
 */
import { Block } from "./memory.ts";
import {
  isPrimitive,
  PRIMITIVE_SIZE,
  type PrimitiveDecl,
  type StructDecl,
  type TypeDecl,
} from "./types.ts";

const START_BYTES = 4096;
/** The serialized sample starts with 4 bytes of header; behind them, offsets count from here. */
export const PAYLOAD_OFFSET = 8;
const HEADER_BYTES = 4;
/** Representation identifiers with a maximum alignment of 4, both byte orders. Source: DDS-XTypes 1.3, 7.6.2. */
const XCDR2_IDS: ReadonlySet<number> = new Set([0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b]);

type Locate = (sample: Sample) => void;

/** The sample that is being read: its bytes, and where each field starts. */
export class Sample {
  block = new Block(START_BYTES);
  /** Start of each located field, from the block's start; -1 where only the key is there. */
  readonly starts: Int32Array;
  #at = 0;
  #end = 0;
  #maxAlign = 8;

  constructor(fieldCount: number) {
    this.starts = new Int32Array(fieldCount);
  }

  /** Makes room for a serialized sample of `size` bytes, header included. */
  ensure(size: number): void {
    const needed = PAYLOAD_OFFSET + size + 8;
    if (needed > this.block.bytes.length) {
      this.block = new Block(2 ** Math.ceil(Math.log2(needed)));
    }
  }

  /** Starts reading the `size` bytes (header included) that were put at PAYLOAD_OFFSET - HEADER_BYTES. */
  begin(size: number): void {
    const representation = this.block.view.getUint8(PAYLOAD_OFFSET - HEADER_BYTES + 1);
    this.#maxAlign = XCDR2_IDS.has(representation) ? 4 : 8;
    this.#at = PAYLOAD_OFFSET;
    this.#end = PAYLOAD_OFFSET - HEADER_BYTES + size;
  }

  get isXcdr2(): boolean {
    return this.#maxAlign === 4;
  }

  /** Moves to the next multiple of `align`, skips `size` bytes and returns where they started. */
  skip(align: number, size: number): number {
    const step = align > this.#maxAlign ? this.#maxAlign : align;
    const start = this.#at + ((step - (this.#at % step)) % step);
    this.#at = start + size;
    if (this.#at > this.#end) {
      throw new RangeError(
        `Cannot read a sample: a field ends at byte ${this.#at} of ${this.#end}`,
      );
    }
    return start;
  }

  /** Reads again from `start`, and comes back to where reading was. */
  revisit(start: number, read: () => void): void {
    const before = this.#at;
    this.#at = start;
    try {
      read();
    } finally {
      this.#at = before;
    }
  }

  /** Reads a 32-bit count and skips it. */
  count(): number {
    return this.block.view.getUint32(this.skip(4, 4), true);
  }
}

/** How one field is found (skipped over) and read. */
interface Accessor {
  /** Skips the value at the reading position. */
  readonly skip: Locate;
  /** Reads the value that starts at `start` and allocates what it must. */
  readonly read: (sample: Sample, start: number) => unknown;
}

/** Reads values of one type out of serialized samples. */
export class Decoder {
  readonly sample: Sample;
  /** The reused view. */
  readonly view: Readonly<Record<string, unknown>>;
  readonly #locate: Locate;
  readonly #locateKey: Locate;
  readonly #toObject: (view: Readonly<Record<string, unknown>>) => Record<string, unknown>;
  readonly #keyToObject: (view: Readonly<Record<string, unknown>>) => Record<string, unknown>;

  constructor(struct: StructDecl) {
    const slots = { count: 0 };
    const plan = planStruct(struct, slots);
    this.sample = new Sample(slots.count);
    this.view = makeView(plan, this.sample);
    const isKeyed = plan.some(({ isKey }) => isKey);
    this.#locate = (sample) => locate(plan, sample, false);
    this.#locateKey = (sample) => {
      sample.starts.fill(-1);
      // Without a key there is one instance, and its end says nothing more.
      if (isKeyed) locate(plan, sample, true);
    };
    this.#toObject = (view) => copy(plan, view, false);
    this.#keyToObject = (view) => (isKeyed ? copy(plan, view, true) : {});
  }

  /** Locates all fields of the serialized sample in the block; afterwards the view shows it. */
  open(size: number, keyOnly: boolean): void {
    this.sample.begin(size);
    if (keyOnly) this.#locateKey(this.sample);
    else this.#locate(this.sample);
  }

  /** Copies what the view shows into a plain object of its own. */
  object(keyOnly: boolean): Record<string, unknown> {
    return keyOnly ? this.#keyToObject(this.view) : this.#toObject(this.view);
  }
}

interface FieldPlan {
  readonly name: string;
  readonly isKey: boolean;
  /** Where its start is kept; nested structs have a plan instead. */
  readonly slot: number;
  readonly accessor: Accessor | undefined;
  readonly nested: readonly FieldPlan[] | undefined;
}

function planStruct(struct: StructDecl, slots: { count: number }): readonly FieldPlan[] {
  return Object.entries(struct.fields).map(([name, type]) => {
    const isKey = struct.key?.includes(name) === true;
    if (typeof type !== "string" && type.kind === "struct") {
      return { name, isKey, slot: -1, accessor: undefined, nested: planStruct(type, slots) };
    }
    return { name, isKey, slot: slots.count++, accessor: accessorOf(type), nested: undefined };
  });
}

function locate(plan: readonly FieldPlan[], sample: Sample, keyOnly: boolean): void {
  const anyKey = keyOnly && plan.some(({ isKey }) => isKey);
  for (const { isKey, slot, accessor, nested } of plan) {
    if (anyKey && !isKey) continue;
    if (nested === undefined) sample.starts[slot] = skipTo(accessor as Accessor, sample);
    else locate(nested, sample, keyOnly);
  }
}

function skipTo(accessor: Accessor, sample: Sample): number {
  const before = sample.skip(1, 0);
  accessor.skip(sample);
  return before;
}

function makeView(plan: readonly FieldPlan[], sample: Sample): Record<string, unknown> {
  const view: Record<string, unknown> = {};
  for (const { name, slot, accessor, nested } of plan) {
    if (nested !== undefined) {
      Object.defineProperty(view, name, { value: makeView(nested, sample), enumerable: true });
      continue;
    }
    const { read } = accessor as Accessor;
    Object.defineProperty(view, name, {
      enumerable: true,
      get: () => {
        const start = sample.starts[slot] as number;
        if (start < 0) throw new TypeError(`Cannot read ${name}: the sample holds only its key`);
        return read(sample, start);
      },
    });
  }
  return view;
}

function copy(
  plan: readonly FieldPlan[],
  view: Readonly<Record<string, unknown>>,
  keyOnly: boolean,
): Record<string, unknown> {
  const anyKey = keyOnly && plan.some(({ isKey }) => isKey);
  const object: Record<string, unknown> = {};
  for (const { name, isKey, nested } of plan) {
    if (anyKey && !isKey) continue;
    object[name] =
      nested === undefined
        ? view[name]
        : copy(nested, view[name] as Readonly<Record<string, unknown>>, keyOnly);
  }
  return object;
}

function accessorOf(type: TypeDecl): Accessor {
  if (isPrimitive(type)) return primitiveAccessor(type);
  if (type === "string") return STRING;
  switch (type.kind) {
    case "string":
      return STRING;
    case "enum":
      return enumAccessor(type.values);
    case "sequence":
      return collectionAccessor(type.of, undefined);
    case "array":
      return collectionAccessor(type.of, type.length);
    case "struct":
      return structAccessor(type);
  }
}

function aligned(start: number, align: number, sample: Sample): number {
  const step = sample.isXcdr2 && align > 4 ? 4 : align;
  return start + ((step - (start % step)) % step);
}

function primitiveAccessor(type: PrimitiveDecl): Accessor {
  const size = PRIMITIVE_SIZE[type];
  const at = (sample: Sample, start: number): number => aligned(start, size, sample);
  const skip: Locate = (sample) => {
    sample.skip(size, size);
  };
  switch (type) {
    case "bool":
      return { skip, read: (s, start) => s.block.view.getUint8(start) !== 0 };
    case "u8":
      return { skip, read: (s, start) => s.block.view.getUint8(start) };
    case "i8":
      return { skip, read: (s, start) => s.block.view.getInt8(start) };
    case "u16":
      return { skip, read: (s, start) => s.block.view.getUint16(at(s, start), true) };
    case "i16":
      return { skip, read: (s, start) => s.block.view.getInt16(at(s, start), true) };
    case "u32":
      return { skip, read: (s, start) => s.block.view.getUint32(at(s, start), true) };
    case "i32":
      return { skip, read: (s, start) => s.block.view.getInt32(at(s, start), true) };
    case "u64":
      return { skip, read: (s, start) => s.block.view.getBigUint64(at(s, start), true) };
    case "i64":
      return { skip, read: (s, start) => s.block.view.getBigInt64(at(s, start), true) };
    case "f32":
      return { skip, read: (s, start) => s.block.view.getFloat32(at(s, start), true) };
    case "f64":
      return { skip, read: (s, start) => s.block.view.getFloat64(at(s, start), true) };
  }
}

function enumAccessor(values: readonly string[]): Accessor {
  return {
    skip: (sample) => {
      sample.skip(4, 4);
    },
    read: (sample, start) => {
      const index = sample.block.view.getUint32(aligned(start, 4, sample), true);
      const value = values[index];
      if (value === undefined) {
        throw new RangeError(`Cannot read an enum: ${index} is not below ${values.length}`);
      }
      return value;
    },
  };
}

const STRING: Accessor = {
  skip: (sample) => {
    sample.skip(1, sample.count());
  },
  read: (sample, start) => {
    const { bytes, view } = sample.block;
    const at = aligned(start, 4, sample);
    // The count includes the terminating NUL.
    return readText(bytes, at + 4, view.getUint32(at, true) - 1);
  },
};

/** Entries of the table of texts that were seen before; a power of two. */
const INTERNED = 1024;
/** Longer texts rarely come again. */
const INTERNED_BYTES = 64;
const interned: { readonly bytes: Uint8Array; readonly text: string }[] = [];
const utf8 = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/** Decodes UTF-8; text that was seen before, of at most 64 bytes, comes from a table. */
function readText(bytes: Uint8Array, start: number, length: number): string {
  if (length <= 0) return "";
  if (length > INTERNED_BYTES) return utf8.decode(bytes.subarray(start, start + length));
  let hash = length;
  for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + (bytes[start + i] as number)) | 0;
  const slot = (hash ^ (hash >>> 15)) & (INTERNED - 1);
  const entry = interned[slot];
  if (entry !== undefined && sameBytes(entry.bytes, bytes, start, length)) return entry.text;
  const copied = bytes.slice(start, start + length);
  const text = utf8.decode(copied);
  interned[slot] = { bytes: copied, text };
  return text;
}

function sameBytes(known: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (known.length !== length) return false;
  for (let i = 0; i < length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}

/** Whether XCDR2 puts a 4-byte length before the elements: it does unless they are primitive. */
const isDelimited = (of: TypeDecl): boolean => !isPrimitive(of);

function collectionAccessor(of: TypeDecl, fixedLength: number | undefined): Accessor {
  const element = accessorOf(of);
  const skipElements = (sample: Sample, onElement?: (start: number) => void): void => {
    if (sample.isXcdr2 && isDelimited(of)) sample.skip(4, 4);
    const length = fixedLength ?? sample.count();
    for (let i = 0; i < length; i++) {
      const start = sample.skip(1, 0);
      element.skip(sample);
      onElement?.(start);
    }
  };
  return {
    skip: (sample) => skipElements(sample),
    read: (sample, start) => {
      const values: unknown[] = [];
      sample.revisit(start, () => {
        skipElements(sample, (at) => values.push(element.read(sample, at)));
      });
      return values;
    },
  };
}

function structAccessor(struct: StructDecl): Accessor {
  const fields = Object.entries(struct.fields).map(
    ([name, type]) => [name, accessorOf(type)] as const,
  );
  return {
    skip: (sample) => {
      for (const [, accessor] of fields) accessor.skip(sample);
    },
    read: (sample, start) => {
      const object: Record<string, unknown> = {};
      sample.revisit(start, () => {
        for (const [name, accessor] of fields) {
          const at = sample.skip(1, 0);
          accessor.skip(sample);
          object[name] = accessor.read(sample, at);
        }
      });
      return object;
    },
  };
}
