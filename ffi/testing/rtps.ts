/**
 * Records RTPS datagrams for tests that damage them: those that participants send unprompted, and
 * those that they send to a simulated participant. Ports: DDSI-RTPS 2.3, 9.6.1.1; header and
 * submessages: 8.3.3 and 9.4.5.
 */
import { until } from "./domain.ts";

const HEADER_BYTES = 20;
const PREFIX = { start: 8, end: 20 } as const;

/** The unicast ports for discovery and for data of the first `count` participants of a domain. */
export function unicastPorts(domainId: number, count: number): readonly number[] {
  return Array.from({ length: 2 * count }, (_, i) => 7410 + 250 * domainId + i);
}

/** A socket that records what participants send to it, and sends given datagrams. */
export class Wire implements Disposable {
  readonly heard: readonly Uint8Array[];
  readonly #socket: Bun.udp.Socket<"buffer">;

  constructor(socket: Bun.udp.Socket<"buffer">, heard: readonly Uint8Array[]) {
    this.#socket = socket;
    this.heard = heard;
  }

  static async open(): Promise<Wire> {
    const heard: Uint8Array[] = [];
    const socket = await Bun.udpSocket({
      hostname: "127.0.0.1",
      socket: { data: (_, bytes) => void heard.push(Uint8Array.from(bytes)) },
    });
    return new Wire(socket, heard);
  }

  get port(): number {
    return this.#socket.port;
  }

  /** Sends to every port; a full socket drops datagrams, as UDP may. */
  send(bytes: Uint8Array, ports: readonly number[]): void {
    for (const port of ports) this.#socket.send(bytes, port, "127.0.0.1");
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/**
 * Simulates a participant at the wire's port, which must be among the peers of the domain's
 * participants, and returns what they send to it: announcements, acknowledgments, heartbeats, data.
 */
export async function overhear(wire: Wire, domainId: number): Promise<readonly Uint8Array[]> {
  await until("an announcement", () => wire.heard.length > 0);
  const ports = unicastPorts(domainId, 2);
  const announcement = Uint8Array.from(wire.heard[0] as Uint8Array);
  const strange = withPrefix(announcement, 0x55);
  const view = new DataView(strange.buffer);
  for (let at = HEADER_BYTES; at + 4 <= strange.length; at++) {
    if (ports.includes(view.getUint32(at, true))) view.setUint32(at, wire.port, true);
  }
  wire.send(strange, ports);
  await until(
    "an answer to the made-up participant",
    () => new Set(wire.heard.map((bytes) => bytes.length)).size >= 3,
  );
  // With another prefix, damaged datagrams are not attributed to a real participant.
  return wire.heard.map((bytes) => withPrefix(bytes, 0x66));
}

/**
 * The same datagram from a sender that does not exist: replaces the prefix in the header and in the
 * submessages.
 */
function withPrefix(bytes: Uint8Array, byte: number): Uint8Array {
  const changed = Uint8Array.from(bytes);
  const own = Buffer.from(bytes.subarray(PREFIX.start, PREFIX.end));
  for (let at = 0; ;) {
    at = Buffer.from(changed.buffer).indexOf(own, at);
    if (at < 0) return changed;
    changed.fill(byte, at, at + own.length);
  }
}
