/**
 * A program that asks for a reader with a QoS that is refused, and has nothing left to do then.
 * Run: refused.ts <domain>.
 */
import { createParticipant } from "../mod.ts";
import { Reading } from "./reading.ts";

const participant = createParticipant({ domainId: Number(process.argv[2]) });
try {
  participant.reader(participant.topic("Readings", Reading), {
    history: { kind: "KEEP_LAST", depth: 0 },
  });
} catch (error) {
  process.stdout.write(`${(error as Error).name}\n`);
}
participant.close();
