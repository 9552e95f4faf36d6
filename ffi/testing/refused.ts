/**
 * A program that creates a reader with a refused QoS, and then has nothing left to do. Run:
 * refused.ts <domain>.
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
