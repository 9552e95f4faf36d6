/** Detects that the network interface that DDS uses was removed or replaced. */
import { networkInterfaces } from "node:os";

/**
 * The interface in use: its name, its address, and a text that differs for a replaced interface of
 * the same name.
 */
export interface InterfaceFacts {
  readonly name: string;
  readonly address: string;
  readonly identity: string;
}

/** The first IPv4 interface that is not loopback; undefined when there is none. */
export function currentInterface(all = networkInterfaces()): InterfaceFacts | undefined {
  for (const [name, addresses] of Object.entries(all)) {
    const found = addresses?.find(({ family, internal }) => family === "IPv4" && !internal);
    if (found !== undefined) {
      return { name, address: found.address, identity: `${name} ${found.address} ${found.mac}` };
    }
  }
  return undefined;
}

/** The result of a check of the interface. */
export type InterfaceVerdict =
  | { readonly kind: "unchanged" }
  | { readonly kind: "gone" }
  | { readonly kind: "changed"; readonly reason: string; readonly now: InterfaceFacts };

export class InterfaceWatch {
  #inUse: InterfaceFacts | undefined;
  #gone = false;

  constructor(inUse: InterfaceFacts | undefined) {
    this.#inUse = inUse;
  }

  /** Compares with the interface in use; after "changed" the participant must be recreated. */
  look(now: InterfaceFacts | undefined): InterfaceVerdict {
    if (now === undefined) {
      this.#gone = this.#inUse !== undefined;
      return { kind: this.#gone ? "gone" : "unchanged" };
    }
    const wasGone = this.#gone;
    const sameAsBefore = now.identity === this.#inUse?.identity;
    this.#gone = false;
    this.#inUse = now;
    if (wasGone) return { kind: "changed", reason: "interface came back", now };
    return sameAsBefore
      ? { kind: "unchanged" }
      : { kind: "changed", reason: "interface changed", now };
  }
}
