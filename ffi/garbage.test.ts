/**
 * Sends random datagrams of every kind to a reader in another process; it must keep running and
 * read valid samples afterwards.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  createParticipant,
  DdsError,
  type Participant,
  type Qos,
  type StructDecl,
  type Writer,
} from "./mod.ts";
import { noisy } from "./testing/noisy.ts";
import { type Program, startListener } from "./testing/program.ts";
import { Reading } from "./testing/reading.ts";
import { overhear, unicastPorts, Wire } from "./testing/rtps.ts";
import { loopbackConfig, testDomain, until } from "./testing/domain.ts";

const seed = Number(process.env["FFI_SEED"] ?? 1);
const DATAGRAMS = 4000;
const reliable: Qos = { reliability: "RELIABLE", history: { kind: "KEEP_ALL" } };
/** On a busy machine the listener may not read for seconds. */
const patient: Qos = { ...reliable, maxBlockingMs: 20_000 };

let domain = testDomain();
let wire: Wire;
let listener: Program;
let participant: Participant;

beforeEach(async () => {
  domain = testDomain();
  wire = await Wire.open();
  const peer = `<Peer Address="127.0.0.1:${wire.port}"/></Peers>`;
  listener = await startListener({
    ...domain,
    configXml: domain.configXml.replace("</Peers>", peer),
  });
  participant = createParticipant(domain);
});
afterEach(async () => {
  participant.close();
  await listener[Symbol.asyncDispose]();
  wire[Symbol.dispose]();
});

/** Waits until the listener has read a sample of a writer that starts now. */
async function expectAlive(): Promise<void> {
  const writer = participant.writer(participant.topic("Readings", Reading), patient);
  await until("the listener", () => writer.matched.current === 1);
  writer.write({ sensor: "good", celsius: 21.5, tags: ["still", "here"] });
  const good = { sensor: "good", celsius: 21.5, tags: ["still", "here"], state: "ALIVE" };
  for (;;) {
    const line = await listener.nextLine();
    if (line.includes('"good"')) {
      expect(JSON.parse(line)).toEqual(good);
      return;
    }
  }
}

/**
 * Whether all readers have acknowledged every sample; this thread does not block, because it reads
 * the listener's pipes.
 */
function hasAll(writer: Writer): boolean {
  try {
    writer.waitForAcknowledgments(1);
    return true;
  } catch (error) {
    if (error instanceof DdsError && error.retcode === "TIMEOUT") return false;
    throw error;
  }
}

/** A type with the name of the real one whose samples are `length` arbitrary bytes. */
const bytesAs = (length: number): StructDecl => ({
  kind: "struct",
  name: Reading.name,
  key: ["first"],
  fields: { first: "u8", rest: { kind: "array", of: "u8", length: length - 1 } },
});

describe(`seed ${seed}`, () => {
  test.each([2, 7, 16, 40, 300])("samples of %d bytes that are anything", async (length) => {
    const liar = participant.writer(participant.topic("Readings", bytesAs(length)), patient);
    await until("the listener", () => liar.matched.current === 1);
    const noise = noisy([new Uint8Array(length).fill(1)], seed, 300).map((bytes) => {
      const sized = new Uint8Array(length);
      sized.set(bytes.subarray(0, length));
      return [...sized];
    });
    for (const [i, [first, ...rest]] of noise.entries()) {
      liar.write({ first, rest } as never);
      // The listener writes a line for each bad sample; it waits while nobody reads its full pipe.
      if (i % 50 === 49) await until("acknowledgments", () => hasAll(liar));
    }
    await until("acknowledgments", () => hasAll(liar));
    liar.close();
    liar.topic.close();
    await expectAlive();
  });

  test("samples of a type of the same name with another layout", async () => {
    const Other = {
      kind: "struct",
      name: Reading.name,
      key: ["sensor"],
      fields: { sensor: "u32", celsius: "string", tags: "f64" },
    } as const;
    const liar = participant.writer(participant.topic("Readings", Other), patient);
    await until("the listener", () => liar.matched.current === 1);
    for (const sensor of [0, 1, 5, 2 ** 31, 2 ** 32 - 1]) {
      for (const celsius of ["", "roof", "x".repeat(2000)])
        liar.write({ sensor, celsius, tags: NaN });
      liar.dispose({ sensor });
    }
    await until("acknowledgments", () => hasAll(liar));
    liar.close();
    liar.topic.close();
    await expectAlive();
  });

  test("within one process: a reader of one layout, a writer of another", async () => {
    await using other = createParticipant({ domainId: domain.domainId });
    const reader = other.reader(other.topic("Readings", Reading), reliable);
    const liar = participant.writer(participant.topic("Readings", bytesAs(40)), patient);
    await until("a match", () => reader.matched.current === 1);
    for (let i = 0; i < 5; i++) {
      const rest = Array.from({ length: 39 }, (_, at) => (i * 31 + at * 7) % 256);
      liar.write({ first: i, rest });
    }
    const bad: Error[] = [];
    reader.takeObjects(Infinity, (error) => void bad.push(error));
    liar.close();
    liar.topic.close();
    const writer = participant.writer(participant.topic("Readings", Reading), patient);
    writer.write({ sensor: "good", celsius: 1, tags: [] });
    let last: unknown;
    await until("the good sample", () => {
      for (const { value, info } of reader.takeObjects()) if (info.valid) last = value;
      return last !== undefined;
    });
    expect(last).toEqual({ sensor: "good", celsius: 1, tags: [] });
  });

  test("datagrams that are no RTPS, or almost", async () => {
    const corpus = await overhear(wire, domain.domainId);
    expect(new Set(corpus.map((bytes) => bytes.length)).size).toBeGreaterThanOrEqual(3);
    const ports = unicastPorts(domain.domainId, 1);
    for (const [i, bytes] of noisy(corpus, seed, DATAGRAMS).entries()) {
      wire.send(bytes, ports);
      // The sockets' buffers hold some hundred datagrams.
      if (i % 100 === 0) await Bun.sleep(1);
    }
    await expectAlive();
  });
});

test("a participant with another tag is not heard", async () => {
  const stranger = { ...testDomain(), configXml: loopbackConfig("stranger") };
  await using other = createParticipant(stranger);
  const writer = other.writer(other.topic("Readings", Reading), patient);
  await expectAlive();
  expect(writer.matched.total).toBe(0);
});
