/** For tests: participants that communicate within one test only. */
import { createParticipant, type Participant } from "../participant.ts";

/**
 * A configuration for loopback without multicast. Participants with the same tag find each other;
 * others do not, even on the same domain.
 */
export function loopbackConfig(tag: string): string {
  return [
    '<CycloneDDS xmlns="https://cdds.io/config"><Domain Id="any">',
    '<General><Interfaces><NetworkInterface name="lo" multicast="false"/></Interfaces>',
    "<AllowMulticast>false</AllowMulticast></General>",
    "<Discovery><ParticipantIndex>auto</ParticipantIndex><MaxAutoParticipantIndex>40</MaxAutoParticipantIndex>",
    `<Tag>${tag}</Tag><Peers><Peer Address="127.0.0.1"/></Peers></Discovery>`,
    "</Domain></CycloneDDS>",
  ].join("");
}

let next = 0;

/** A domain that no other test uses, and its configuration. */
export function testDomain(): { readonly domainId: number; readonly configXml: string } {
  const domainId = 100 + ((process.pid + next++ * 7) % 100);
  return { domainId, configXml: loopbackConfig(`test-${process.pid}-${next}`) };
}

/** Joins a domain that no other test uses. */
export function testParticipant(): Participant {
  return createParticipant(testDomain());
}

/** Waits until `look` returns true; after `deadlineMs` throws an error that names `what`. */
export async function until(what: string, look: () => boolean, deadlineMs = 60_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!look()) {
    if (performance.now() > end) throw new Error(`Gave up waiting for ${what}`);
    await Bun.sleep(5);
  }
}
