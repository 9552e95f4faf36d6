/** Blocks a thread until a reader has samples. */
import { check } from "./error.ts";
import { loadLibrary } from "./library.ts";

/** DDS_ANY_STATE: every state of a sample, its view and its instance. */
const ANY_STATE = 127;

export class Waitset {
  readonly #handle: number;
  readonly #action: string;

  /** `participant` and `reader` are handles; `what` is the reader's description. */
  constructor(participant: number, reader: number, what: string) {
    const { dds } = loadLibrary();
    this.#action = `wait for samples of the ${what}`;
    // The condition is deleted with the reader.
    const condition = dds.dds_create_readcondition(reader, ANY_STATE);
    check(condition, "dds_create_readcondition", this.#action);
    const handle = dds.dds_create_waitset(participant);
    this.#handle = check(handle, "dds_create_waitset", this.#action);
    const attached = dds.dds_waitset_attach(this.#handle, condition, 0n);
    if (attached < 0) this.close();
    check(attached, "dds_waitset_attach", this.#action);
  }

  /** Blocks for at most `nanoseconds`; returns whether there are samples. */
  wait(nanoseconds: bigint): boolean {
    const code = loadLibrary().dds.dds_waitset_wait(this.#handle, null, 0, nanoseconds);
    return check(code, "dds_waitset_wait", this.#action) > 0;
  }

  close(): void {
    // A failure loses no state, and the participant deletes it otherwise.
    loadLibrary().dds.dds_delete(this.#handle);
  }
}
