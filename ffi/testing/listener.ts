/**
 * A program that reads topic Readings and prints each sample as a line of JSON. Run: listener.ts
 * <domain> [transient]; CYCLONEDDS_URI configures it. It prints `ready` first, closes and exits on
 * SIGTERM if `close` is among its arguments, and ends in any case after a minute.
 */
import { createParticipant } from "../mod.ts";
import { Reading } from "./reading.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const participant = createParticipant({ domainId: Number(process.argv[2]) });
const reader = participant.reader(participant.topic("Readings", Reading), {
  reliability: "RELIABLE",
  history: { kind: "KEEP_ALL" },
  durability: process.argv.includes("transient") ? "TRANSIENT_LOCAL" : "VOLATILE",
});
reader.onData(() => {
  const bad = (error: Error): void => say(`bad ${error.message}`);
  for (const { value, info } of reader.takeObjects(Infinity, bad)) {
    say(JSON.stringify({ ...value, state: info.instanceState }));
  }
});
if (process.argv.includes("close")) {
  process.on("SIGTERM", () => {
    participant.close();
    say("closed");
    process.exit(0);
  });
}
setTimeout(() => process.exit(3), 60_000).unref();
say("ready");
