/**
 * A program whose callback throws at its first call. Run: thrower.ts <domain>; CYCLONEDDS_URI
 * configures it.
 */
import { createParticipant } from "../mod.ts";
import { until } from "./domain.ts";
import { Reading } from "./reading.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
process.on("uncaughtException", (error) => say(`caught ${error.message}`));
await using participant = createParticipant({ domainId: Number(process.argv[2]) });
const topic = participant.topic("Readings", Reading);
const reader = participant.reader(topic);
const writer = participant.writer(topic);
await until("a match", () => writer.matched.current === 1);
let calls = 0;
let taken = 0;
reader.onData(() => {
  calls++;
  if (calls === 1) throw new Error("first");
  taken += reader.take(() => {});
});
await until("the first call", () => calls === 1);
reader.onData(() => calls === 2 && say("second callback"));
writer.write({ sensor: "roof", celsius: 1, tags: [] });
writer.write({ sensor: "cellar", celsius: 1, tags: [] });
await until("the samples", () => taken === 2);
say("took 2");
