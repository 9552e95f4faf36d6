/**
 * A program that blocks its only thread in C. Run: blocker.ts <domain>; CYCLONEDDS_URI configures
 * it. It prints `matched` once a reader is there; at the first line of standard input it writes,
 * prints `blocking`, and waits for an acknowledgment.
 */
import { createParticipant } from "../mod.ts";
import { until } from "./domain.ts";
import { Reading } from "./reading.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const participant = createParticipant({ domainId: Number(process.argv[2]) });
const writer = participant.writer(participant.topic("Readings", Reading), {
  reliability: "RELIABLE",
  history: { kind: "KEEP_ALL" },
});
await until("a reader", () => writer.matched.current === 1);
say("matched");
for await (const _ of console) {
  writer.write({ sensor: "roof", celsius: 1, tags: [] });
  say("blocking");
  writer.waitForAcknowledgments(60_000);
}
