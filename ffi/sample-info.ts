/** Metadata of a sample. */

export type InstanceState = "ALIVE" | "NOT_ALIVE_DISPOSED" | "NOT_ALIVE_NO_WRITERS";

/** Metadata of a sample. A visitor's object is reused for the next sample. */
export interface SampleInfo {
  /** Whether there is data; if not, only the key fields may be read. */
  readonly valid: boolean;
  readonly instanceState: InstanceState;
  readonly sampleState: "READ" | "NOT_READ";
  readonly viewState: "NEW" | "OLD";
  /** Time of writing, milliseconds since the Unix epoch. */
  readonly sourceUnixMs: number;
  /** How many samples of the same instance follow in the same batch, 256 at most. */
  readonly sampleRank: number;
}

/** Offsets in dds_sample_info_t. */
const INFO = {
  sampleState: 0,
  viewState: 4,
  instanceState: 8,
  valid: 12,
  sourceTime: 16,
  sampleRank: 48,
};
const SAMPLE_READ = 1;
const VIEW_NEW = 4;
const INSTANCE_ALIVE = 16;
const INSTANCE_DISPOSED = 32;

/** Size of dds_sample_info_t. */
export const INFO_BYTES = 64;

/** Reads dds_sample_info_t in place. */
export class InfoView implements SampleInfo {
  readonly #view: DataView;
  #at = 0;

  constructor(view: DataView) {
    this.#view = view;
  }

  show(at: number): void {
    this.#at = at;
  }

  get valid(): boolean {
    return this.#view.getUint8(this.#at + INFO.valid) !== 0;
  }

  get instanceState(): InstanceState {
    const state = this.#view.getUint32(this.#at + INFO.instanceState, true);
    if (state === INSTANCE_ALIVE) return "ALIVE";
    return state === INSTANCE_DISPOSED ? "NOT_ALIVE_DISPOSED" : "NOT_ALIVE_NO_WRITERS";
  }

  get sampleState(): "READ" | "NOT_READ" {
    const state = this.#view.getUint32(this.#at + INFO.sampleState, true);
    return state === SAMPLE_READ ? "READ" : "NOT_READ";
  }

  get viewState(): "NEW" | "OLD" {
    return this.#view.getUint32(this.#at + INFO.viewState, true) === VIEW_NEW ? "NEW" : "OLD";
  }

  get sourceUnixMs(): number {
    const low = this.#view.getUint32(this.#at + INFO.sourceTime, true);
    const high = this.#view.getInt32(this.#at + INFO.sourceTime + 4, true);
    return (high * 0x1_0000_0000 + low) / 1e6;
  }

  get sampleRank(): number {
    return this.#view.getUint32(this.#at + INFO.sampleRank, true);
  }
}
