/**
 * A program whose first visitor throws at the first sample. Run: visit-thrower.ts <domain>;
 * CYCLONEDDS_URI configures it.
 */
import { createParticipant } from "../mod.ts";
import { until } from "./domain.ts";
import { Reading } from "./reading.ts";

const SAMPLES = 300;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
process.on("uncaughtException", (error) => say(`caught ${error.message}`));
await using participant = createParticipant({ domainId: Number(process.argv[2]) });
const topic = participant.topic("Readings", Reading, {
  reliability: "RELIABLE",
  history: { kind: "KEEP_ALL" },
});
const reader = participant.reader(topic);
const writer = participant.writer(topic);
await until("a match", () => writer.matched.current === 1);
for (let i = 0; i < SAMPLES; i++) writer.write({ sensor: "roof", celsius: i, tags: [] });
let [calls, taken] = [0, 0];
reader.onData(() => {
  calls++;
  taken += reader.take(() => {
    if (calls === 1) throw new Error("visit");
  });
});
await until("the samples that are left", () => taken > 0);
say(`took ${taken}`);
