/** The samples that a reader has taken and not yet shown: a cursor over serialized samples. */
import { Decoder } from "./decode.ts";
import { check } from "./error.ts";
import { loadLibrary } from "./library.ts";
import { Block, type Pointer } from "./memory.ts";
import { INFO_BYTES, InfoView } from "./sample-info.ts";
import type { StructDecl } from "./types.ts";

/** Maximum number of samples in one call into C. */
export const MAX_BATCH = 256;
/**
 * native.c puts the first sample at this offset, and each other one this far behind a multiple of
 * 8.
 */
const FIRST_SAMPLE = 4;
const ANY_STATE = 0;

export class Batch {
  /** Decodes the current sample after open() has returned. */
  readonly decoder: Decoder;
  /** Information about the current sample. */
  readonly info: InfoView;
  readonly #samples = new Block(MAX_BATCH * 8);
  readonly #infos = new Block(MAX_BATCH * INFO_BYTES);
  readonly #sizes = new Block(MAX_BATCH * 4);
  /** Text for the error of a failed take, made once: a text for each take would be garbage. */
  readonly #action: string;
  #count = 0;
  /** Samples from here on have not been copied and belong to C. */
  #copied = 0;
  /** The current sample, and the first sample of the copy that contains it. */
  #current = -1;
  #first = 0;
  /** Offsets in the decoder's block of the current sample and of the one after it. */
  #at = 0;
  #end = FIRST_SAMPLE;

  constructor(type: StructDecl, action: string) {
    this.decoder = new Decoder(type);
    this.info = new InfoView(this.#infos.view);
    this.#action = action;
  }

  /**
   * Takes up to `wanted` samples, `MAX_BATCH` at most, and replaces the present ones; returns their
   * number.
   */
  take(reader: number, wanted: number): number {
    this.drop();
    const { dds } = loadLibrary();
    const { pointer } = this.#samples;
    const code = dds.dds_takecdr(reader, pointer, wanted, this.#infos.pointer, ANY_STATE);
    this.#count = check(code, "dds_takecdr", this.#action);
    this.#copied = 0;
    this.#current = -1;
    return this.#count;
  }

  /** Moves to the next sample; false when there is none. */
  next(): boolean {
    if (this.#current + 1 >= this.#count) return false;
    this.#current++;
    if (this.#current === this.#copied) {
      this.#first = this.#copied;
      this.#copied += this.#unload();
      this.#end = FIRST_SAMPLE;
    }
    this.#at = this.#end;
    const size = this.#sizeOf(this.#current);
    this.#end = ((this.#at + size + 7) & ~7) + FIRST_SAMPLE;
    this.info.show(this.#current * INFO_BYTES);
    return true;
  }

  /**
   * Locates the fields of the current sample; then the decoder's view shows it. Throws RangeError
   * when the sample cannot be read.
   */
  open(): void {
    this.decoder.open(this.#at, this.#sizeOf(this.#current), !this.info.valid);
  }

  #sizeOf(index: number): number {
    return this.#sizes.view.getUint32((index - this.#first) * 4, true);
  }

  /** Copies the next samples into the decoder's block, frees them, and returns how many. */
  #unload(): number {
    const { native } = loadLibrary();
    const { sample } = this.decoder;
    for (;;) {
      const copied = native.unload(
        this.#samples.address(this.#copied * 8) as Pointer,
        this.#count - this.#copied,
        sample.block.pointer,
        sample.room,
        this.#sizes.pointer,
      );
      if (copied > 0) return copied;
      sample.ensure(this.#sizes.view.getUint32(0, true));
    }
  }

  /** Frees the samples that were not shown. */
  drop(): void {
    const { dds } = loadLibrary();
    for (let i = this.#copied; i < this.#count; i++) {
      dds.ddsi_serdata_unref(this.#samples.getAddress(i * 8));
    }
    this.#count = 0;
    this.#current = -1;
    this.#copied = 0;
  }
}
