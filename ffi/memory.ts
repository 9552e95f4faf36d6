/** Memory that C reads and writes: JavaScript buffers at fixed addresses. */
import { type Pointer, ptr } from "bun:ffi";

export type { Pointer };

/** A block of zeroed memory with the views that are needed to fill and read it. */
export class Block {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** The same bytes as a Buffer, for its text methods. */
  readonly text: Buffer;
  readonly pointer: Pointer;

  constructor(size: number) {
    // The extra bytes let the block start at a multiple of 8 whatever address the buffer has.
    const buffer = new ArrayBuffer(size + 8);
    const base = ptr(new Uint8Array(buffer)) as number;
    const shift = (8 - (base % 8)) % 8;
    this.bytes = new Uint8Array(buffer, shift, size);
    this.view = new DataView(buffer, shift, size);
    this.text = Buffer.from(buffer, shift, size);
    this.pointer = (base + shift) as Pointer;
  }

  /** Address of the byte at `offset`. */
  address(offset: number): number {
    return this.pointer + offset;
  }

  /** Writes an address (or 0 for NULL) at `offset`. */
  setAddress(offset: number, address: number): void {
    this.view.setUint32(offset, address >>> 0, true);
    this.view.setUint32(offset + 4, Math.floor(address / 0x1_0000_0000), true);
  }

  /** Reads an address without making a bigint; user-space addresses fit a double exactly. */
  getAddress(offset: number): Pointer {
    const high = this.view.getUint32(offset + 4, true);
    return (high * 0x1_0000_0000 + this.view.getUint32(offset, true)) as Pointer;
  }
}

/** A NUL-terminated UTF-8 string; keep the block as long as C may read it. */
export function cString(text: string): Block {
  if (text.includes("\0")) throw new TypeError("Cannot pass text to C: it must not contain NUL");
  const bytes = new TextEncoder().encode(text);
  const block = new Block(bytes.length + 1);
  block.bytes.set(bytes);
  return block;
}

const inUse = new Set<Block>();

/** Calls `use` with the address of `text` as a C string, which is valid until `use` returns. */
export function withCString<T>(text: string, use: (pointer: Pointer) => T): T {
  const block = cString(text);
  inUse.add(block);
  try {
    return use(block.pointer);
  } finally {
    inUse.delete(block);
  }
}
