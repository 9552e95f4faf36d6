/** Writes protobuf's binary form into bytes that grow. */

/** Wire types, the lower three bits of each field's tag. */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** More than a tag, a number of any form and a length take together. */
const SMALL = 32;
const UTF8 = new TextEncoder();

export class ProtobufWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** What is written so far; the same memory, until the next write. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  tag(field: number, type: number): void {
    this.#reserve(SMALL);
    this.#number((field << 3) | type);
  }

  /** A whole number, below 0 as 64 bits of two's complement. */
  varint(value: number): void {
    this.#reserve(SMALL);
    if (value >= 0) {
      this.#number(value);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  fixed32(value: number): void {
    this.#reserve(SMALL);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  double(value: number): void {
    this.#reserve(SMALL);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /**
   * A time as nanoseconds in 64 bits. 10^9 is 2^9 times 1,953,125, and a Unix time's product with
   * that is exact.
   */
  time([seconds, nanoseconds]: readonly [number, number]): void {
    const product = seconds * 1_953_125;
    const high = Math.floor(product / 2 ** 23);
    const low = (product - high * 2 ** 23) * 2 ** 9 + nanoseconds;
    this.fixed32(low % 2 ** 32);
    this.fixed32(high + (low >= 2 ** 32 ? 1 : 0));
  }

  /** The bytes of a lower-case hexadecimal text, and their length before them. */
  hex(text: string): void {
    this.#reserve(SMALL + text.length);
    this.#number(text.length >> 1);
    for (let i = 0; i < text.length; i += 2) {
      this.#bytes[this.#length++] =
        (digit(text.charCodeAt(i)) << 4) | digit(text.charCodeAt(i + 1));
    }
  }

  /** A text and its length before it. */
  text(text: string): void {
    this.#reserve(SMALL + text.length * 3);
    const start = this.#length++;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        const rest = this.#bytes.subarray(start + 1);
        this.#length = start + 1 + UTF8.encodeInto(text, rest).written;
        break;
      }
      this.#bytes[this.#length++] = code;
    }
    this.close(start);
  }

  /**
   * Begins a nested message; close() writes its length into the byte that is left free here, or
   * moves it on.
   */
  open(field: number): number {
    this.tag(field, BYTES);
    return this.#length++;
  }

  close(start: number): void {
    const size = this.#length - start - 1;
    let more = 0;
    for (let rest = size; rest > 0x7f; rest = Math.floor(rest / 0x80)) more++;
    if (more > 0) {
      this.#reserve(SMALL);
      this.#bytes.copyWithin(start + 1 + more, start + 1, this.#length);
    }
    this.#length = start;
    this.#number(size);
    this.#length += size;
  }

  #number(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
    }
    this.#bytes[this.#length++] = rest;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.written);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

const digit = (code: number): number => (code > 0x39 ? code - 0x57 : code - 0x30);
