/** A serialized sample that is being read: its bytes, and where each field starts. */
import { Block } from "./memory.ts";

const START_BYTES = 64 * 1024;
/** Size of the header of a serialized sample; alignment counts from its end. */
export const HEADER_BYTES = 4;
/** Extra bytes after the last sample, so that a four-byte read may start at its last byte. */
const SLACK_BYTES = 8;
/**
 * Representation identifiers with a maximum alignment of 4, of either byte order. Source:
 * DDS-XTypes 1.3, 7.6.2.
 */
const XCDR2 = { first: 0x06, last: 0x0b } as const;

export class Sample {
  /** Holds samples; each header starts 4 bytes behind a multiple of 8. */
  block = new Block(START_BYTES);
  /**
   * Offset of each located field in the block; -1 for fields that are not part of the key when only
   * the key is present.
   */
  readonly starts: Int32Array;
  /** The reading position. */
  at = 0;
  end = 0;
  maxAlign: 4 | 8 = 8;

  constructor(fieldCount: number) {
    this.starts = new Int32Array(fieldCount);
  }

  /** Bytes of the block that are available for samples. */
  get room(): number {
    return this.block.bytes.length - SLACK_BYTES;
  }

  /** Makes room for a serialized sample of `size` bytes, header included. */
  ensure(size: number): void {
    const needed = HEADER_BYTES + size + SLACK_BYTES;
    if (needed > this.block.bytes.length) this.block = new Block(2 ** Math.ceil(Math.log2(needed)));
  }

  /** Starts reading the sample of `size` bytes whose header is at `start`. */
  begin(start: number, size: number): void {
    const representation = this.block.bytes[start + 1] as number;
    const isXcdr2 = representation >= XCDR2.first && representation <= XCDR2.last;
    this.maxAlign = isXcdr2 ? 4 : 8;
    this.at = start + HEADER_BYTES;
    this.end = start + size;
  }

  get isXcdr2(): boolean {
    return this.maxAlign === 4;
  }

  /** Moves to the next multiple of `align`, skips `size` bytes and returns where they started. */
  skip(align: number, size: number): number {
    const step = Math.min(align, this.maxAlign);
    const start = (this.at + step - 1) & -step;
    this.at = start + size;
    if (this.at > this.end) this.refuse(this.at);
    return start;
  }

  /** Reads a 32-bit count and skips it. */
  count(): number {
    return this.block.view.getUint32(this.skip(4, 4), true);
  }

  /** Throws RangeError: a field ends at `at`, behind the end of the sample. */
  refuse(at: number): never {
    throw new RangeError(`Cannot read a sample: a field ends at byte ${at} of ${this.end}`);
  }
}
