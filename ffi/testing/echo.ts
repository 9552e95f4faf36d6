/**
 * A program that writes what it reads from topic Calls to topic Readings. Run: echo.ts <domain>;
 * CYCLONEDDS_URI configures it.
 */
import { createParticipant, type Qos } from "../mod.ts";
import { Reading } from "./reading.ts";

const reliable: Qos = { reliability: "RELIABLE", history: { kind: "KEEP_ALL" } };
const participant = createParticipant({ domainId: Number(process.argv[2]) });
const reader = participant.reader(participant.topic("Calls", Reading), reliable);
const writer = participant.writer(participant.topic("Readings", Reading), reliable);
reader.onData(() => {
  for (const { value } of reader.takeObjects()) writer.write(value);
});
setTimeout(() => process.exit(3), 90_000).unref();
