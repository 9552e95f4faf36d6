/**
 * A program that joins a domain and leaves it. Run: leaver.ts <domain>; CYCLONEDDS_URI configures
 * it. It prints `joined`, at the first line of standard input closes its participant, and prints
 * `left`.
 */
import { createParticipant } from "../mod.ts";
import { Reading } from "./reading.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const participant = createParticipant({ domainId: Number(process.argv[2]) });
participant.reader(participant.topic("Readings", Reading));
say("joined");
for await (const _ of console) {
  participant.close();
  say("left");
  break;
}
