/**
 * Fills a C struct from a TypeScript value, after checking every field.
 *
 * A type is compiled once into a function that writes at fixed offsets. Strings and elements of
 * sequences follow the struct in the same block. Writing a value of ASCII strings allocates
 * nothing.
 */
import { compile } from "./compile.ts";
import { putSource } from "./encode-source.ts";
import { alignUp, MAX_VALUE_BYTES, structLayout } from "./layout.ts";
import { Block } from "./memory.ts";
import { putText } from "./text.ts";
import type { StructDecl } from "./types.ts";

const START_BYTES = 4096;
const LONG_TEXT = 4096;

/** A value does not fit its type. */
export class DdsValueError extends TypeError {
  override readonly name = "DdsValueError";
}

type Put = (encoder: Encoder, value: unknown) => void;

/** Converts values of one type into C structs, in a block that each call reuses. */
export class Encoder {
  block: Block;
  readonly #put: Put;
  readonly #putKey: Put;
  readonly #size: number;
  #isBusy = false;
  /** Offset of the next string or element. */
  #free = 0;

  constructor(struct: StructDecl) {
    this.#put = compile(helpers, putSource(struct, false)) as Put;
    this.#putKey = compile(helpers, putSource(struct, true)) as Put;
    this.#size = structLayout(struct).size;
    this.block = new Block(Math.max(START_BYTES, this.#size));
  }

  /**
   * Fills the block and returns it; throws DdsValueError with the field's path, the rule and the
   * value.
   */
  encode(value: unknown): Block {
    return this.#run(this.#put, value);
  }

  /** Like encode(), for the key fields alone. */
  encodeKey(value: unknown): Block {
    return this.#run(this.#putKey, value);
  }

  #run(put: Put, value: unknown): Block {
    // A getter of the value could call this method again, which would overwrite the block.
    if (this.#isBusy) throw new DdsValueError("Cannot write a value while another is being read");
    this.#isBusy = true;
    try {
      while (!this.#fill(put, value));
      return this.block;
    } finally {
      this.#isBusy = false;
    }
  }

  /** Returns false when the block was too small and a larger one has replaced it. */
  #fill(put: Put, value: unknown): boolean {
    this.#free = alignUp(this.#size, 8);
    try {
      put(this, value);
      return true;
    } catch (error) {
      // A larger block has another address, so all addresses in it change: start again.
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

const TEXT_RULES = {
  "has NUL": "text without NUL",
  "has lone surrogates": "text without lone surrogates",
} as const;

/** Text of any length: written after the struct, with its address at `at`. */
function putString(encoder: Encoder, at: number, value: unknown, path: string): void {
  if (typeof value !== "string") refuse(path, "a string", value);
  // UTF-8 takes at most three bytes for each UTF-16 unit; for a long text, counting the bytes saves
  // memory.
  const isLong = value.length > LONG_TEXT;
  const room = (isLong ? Buffer.byteLength(value) : value.length * 3) + 1;
  const start = encoder.reserve(room, 1, path);
  const { block } = encoder;
  const put = putText(block, start, value, room);
  if (put !== "put" && put !== "too long") refuse(path, TEXT_RULES[put], value);
  block.setAddress(at, block.address(start));
}

/** Text of at most `bound` bytes, in place. */
function putBounded(block: Block, at: number, value: unknown, bound: number, path: string): void {
  if (typeof value !== "string") refuse(path, "a string", value);
  const put = putText(block, at, value, bound + 1);
  if (put === "put") return;
  refuse(path, put === "too long" ? `text of at most ${bound} bytes` : TEXT_RULES[put], value);
}

const helpers = { refuse, putString, putBounded };
