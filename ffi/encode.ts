/**
 * Fills a C struct from a TypeScript value, checking everything before C sees it.
 *
 * A type is compiled once into closures that write at fixed offsets; strings, and elements of sequences,
 * go behind the struct into the same block. Writing a value of ASCII strings allocates nothing.
 */
import { Block } from "./memory.ts";
import { putText } from "./text.ts";
import {
  alignUp,
  isPrimitive,
  layoutOf,
  MAX_VALUE_BYTES,
  type PrimitiveDecl,
  SEQUENCE_LAYOUT,
  type StructDecl,
  structLayout,
  type TypeDecl,
} from "./types.ts";

const START_BYTES = 4096;
const LONG_TEXT = 4096;

/** A value does not fit its type. */
export class DdsValueError extends TypeError {
  override readonly name = "DdsValueError";
}

type Put = (encoder: Encoder, value: unknown, at: number) => void;

/** Turns values of one type into C structs in a block of its own, which each call uses again. */
export class Encoder {
  block: Block;
  readonly #put: Put;
  readonly #putKey: Put;
  readonly #size: number;
  #isBusy = false;
  /** Where the next string or element goes. */
  #free = 0;

  constructor(struct: StructDecl) {
    this.#put = compileStruct(struct, struct.name, false);
    this.#putKey = compileStruct(struct, struct.name, true);
    this.#size = structLayout(struct).size;
    this.block = new Block(Math.max(START_BYTES, this.#size));
  }

  /** Fills the block and returns it; throws DdsValueError with the field's path, the rule and the value. */
  encode(value: unknown): Block {
    return this.#run(this.#put, value);
  }

  /** Like encode(), for the key fields alone. */
  encodeKey(value: unknown): Block {
    return this.#run(this.#putKey, value);
  }

  #run(put: Put, value: unknown): Block {
    // A getter of the value could call in again, and would overwrite what has been filled in.
    if (this.#isBusy) throw new DdsValueError("Cannot write a value while another is being read");
    this.#isBusy = true;
    try {
      while (!this.#fill(put, value));
      return this.block;
    } finally {
      this.#isBusy = false;
    }
  }

  /** Returns false when the block was too small and a larger one has taken its place. */
  #fill(put: Put, value: unknown): boolean {
    this.#free = alignUp(this.#size, 8);
    try {
      put(this, value, 0);
      return true;
    } catch (error) {
      // The block moves when it grows, and with it every address in it: start over.
      if (error !== GROW) throw error;
      return false;
    }
  }

  /** Reserves `size` bytes and returns their offset. */
  reserve(size: number, align: number, path: string): number {
    const at = alignUp(this.#free, align);
    this.#free = at + size;
    if (this.#free <= this.block.bytes.length) return at;
    if (this.#free > MAX_VALUE_BYTES) {
      throw new DdsValueError(
        `Cannot write ${path}: a value must have at most ${MAX_VALUE_BYTES} bytes, but this one has more`,
      );
    }
    this.block = new Block(Math.min(2 ** Math.ceil(Math.log2(this.#free * 2)), MAX_VALUE_BYTES));
    throw GROW;
  }
}

const GROW = new Error("The block has to grow");

function refuse(path: string, rule: string, value: unknown): never {
  const text = typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : String(value);
  throw new DdsValueError(`Cannot write ${path}: it must be ${rule}, but is ${text}`);
}

function compile(type: TypeDecl, path: string): Put {
  if (isPrimitive(type)) return compilePrimitive(type, path);
  if (type === "string") return compileString(path);
  switch (type.kind) {
    case "string":
      return compileBoundedString(type.bound, path);
    case "enum":
      return compileEnum(type.values, path);
    case "sequence":
      return compileSequence(type.of, type.bound, path);
    case "array":
      return compileArray(type.of, type.length, path);
    case "struct":
      return compileStruct(type, path, false);
  }
}

function compileStruct(struct: StructDecl, path: string, keysOnly: boolean): Put {
  const puts = structLayout(struct)
    .fields.filter(({ isKey }) => isKey || !keysOnly)
    .map(({ name, type, offset }) => ({ name, offset, put: compile(type, `${path}.${name}`) }));
  return (encoder, value, at) => {
    if (typeof value !== "object" || value === null) refuse(path, "an object", value);
    const record = value as Record<string, unknown>;
    for (const { name, offset, put } of puts) put(encoder, record[name], at + offset);
  };
}

type SmallInteger = "u8" | "i8" | "u16" | "i16" | "u32" | "i32";

const INTEGER_RANGE: Readonly<Record<SmallInteger, readonly [number, number]>> = {
  u8: [0, 255],
  i8: [-128, 127],
  u16: [0, 65_535],
  i16: [-32_768, 32_767],
  u32: [0, 4_294_967_295],
  i32: [-2_147_483_648, 2_147_483_647],
};
const BIGINT_RANGE = {
  u64: [0n, 2n ** 64n - 1n],
  i64: [-(2n ** 63n), 2n ** 63n - 1n],
} as const;

function compilePrimitive(type: PrimitiveDecl, path: string): Put {
  if (type === "bool") {
    return ({ block }, value, at) => {
      if (typeof value !== "boolean") refuse(path, "true or false", value);
      block.view.setUint8(at, value ? 1 : 0);
    };
  }
  if (type === "u64" || type === "i64") {
    const [min, max] = BIGINT_RANGE[type];
    return ({ block }, value, at) => {
      if (typeof value !== "bigint" || value < min || value > max) {
        refuse(path, `a bigint from ${min} to ${max}`, value);
      }
      if (type === "u64") block.view.setBigUint64(at, value, true);
      else block.view.setBigInt64(at, value, true);
    };
  }
  if (type === "f64" || type === "f32") {
    return ({ block }, value, at) => {
      if (typeof value !== "number") refuse(path, "a number", value);
      if (type === "f32" && Number.isFinite(value) && !Number.isFinite(Math.fround(value))) {
        refuse(path, "a number that fits 32 bits", value);
      }
      if (type === "f64") block.view.setFloat64(at, value, true);
      else block.view.setFloat32(at, value, true);
    };
  }
  return compileInteger(type, path);
}

function compileInteger(type: SmallInteger, path: string): Put {
  const [min, max] = INTEGER_RANGE[type];
  const checked = (value: unknown): number => {
    if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
      refuse(path, `a whole number from ${min} to ${max}`, value);
    }
    return value;
  };
  switch (type) {
    case "u8":
    case "i8":
      return ({ block }, value, at) => block.view.setInt8(at, checked(value));
    case "u16":
    case "i16":
      return ({ block }, value, at) => block.view.setInt16(at, checked(value), true);
    case "u32":
    case "i32":
      return ({ block }, value, at) => block.view.setInt32(at, checked(value), true);
  }
}

function compileEnum(values: readonly string[], path: string): Put {
  const index = new Map(values.map((value, i) => [value, i]));
  return ({ block }, value, at) => {
    const i = index.get(value as string);
    if (i === undefined) refuse(path, `one of ${values.join(", ")}`, value);
    block.view.setInt32(at, i, true);
  };
}

const TEXT_RULES = {
  "has NUL": "text without NUL",
  "has lone surrogates": "text without lone surrogates",
} as const;

function compileString(path: string): Put {
  return (encoder, value, at) => {
    if (typeof value !== "string") refuse(path, "a string", value);
    // Three bytes a UTF-16 unit is the most that UTF-8 takes; a long text is worth counting.
    const isLong = value.length > LONG_TEXT;
    const room = (isLong ? Buffer.byteLength(value) : value.length * 3) + 1;
    const start = encoder.reserve(room, 1, path);
    const { block } = encoder;
    const put = putText(block, start, value, room);
    if (put !== "put" && put !== "too long") refuse(path, TEXT_RULES[put], value);
    block.setAddress(at, block.address(start));
  };
}

function compileBoundedString(bound: number, path: string): Put {
  return ({ block }, value, at) => {
    if (typeof value !== "string") refuse(path, "a string", value);
    const put = putText(block, at, value, bound + 1);
    if (put === "put") return;
    refuse(path, put === "too long" ? `text of at most ${bound} bytes` : TEXT_RULES[put], value);
  };
}

function compileSequence(of: TypeDecl, bound: number | undefined, path: string): Put {
  const putAll = compileElements(of, path);
  const { size, align } = layoutOf(of);
  return (encoder, value, at) => {
    if (!Array.isArray(value)) refuse(path, "an array", value);
    const { length } = value;
    // A proxy of an array may say anything, and C would believe it.
    if (!Number.isInteger(length) || length < 0) refuse(path, "an array", `one of ${length}`);
    if (bound !== undefined && length > bound) {
      refuse(path, `an array of at most ${bound} elements`, `one of ${length}`);
    }
    const start = length === 0 ? 0 : encoder.reserve(size * length, align, path);
    putAll(encoder, value, length, start);
    const { block } = encoder;
    block.view.setUint32(at, length, true);
    block.view.setUint32(at + SEQUENCE_LAYOUT.length, length, true);
    block.setAddress(at + SEQUENCE_LAYOUT.buffer, length === 0 ? 0 : block.address(start));
    block.view.setUint8(at + SEQUENCE_LAYOUT.release, 0);
  };
}

type PutAll = (encoder: Encoder, values: readonly unknown[], length: number, at: number) => void;

/** Elements one behind the other; for doubles, of which there may be very many, without a call for each. */
function compileElements(of: TypeDecl, path: string): PutAll {
  if (of === "f64") {
    return ({ block: { view } }, values, length, at) => {
      for (let i = 0; i < length; i++) {
        const value = values[i];
        if (typeof value !== "number") refuse(`${path}[]`, "a number", value);
        view.setFloat64(at + i * 8, value, true);
      }
    };
  }
  const element = compile(of, `${path}[]`);
  const { size } = layoutOf(of);
  return (encoder, values, length, at) => {
    for (let i = 0; i < length; i++) element(encoder, values[i], at + i * size);
  };
}

function compileArray(of: TypeDecl, length: number, path: string): Put {
  const putAll = compileElements(of, path);
  return (encoder, value, at) => {
    if (!Array.isArray(value) || value.length !== length) {
      const is = Array.isArray(value) ? `one of ${value.length}` : value;
      refuse(path, `an array of exactly ${length} elements`, is);
    }
    putAll(encoder, value, length, at);
  };
}
