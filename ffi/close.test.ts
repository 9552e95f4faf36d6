/**
 * Entities can be closed at any time, more than once, while samples arrive, and after a signal;
 * every method throws afterwards.
 */
import { describe, expect, test } from "bun:test";
import { Entity } from "./entity.ts";
import {
  createParticipant,
  DdsClosedError,
  DdsError,
  type Qos,
  type Reader,
  type Writer,
} from "./mod.ts";
import { startListener, startProgram } from "./testing/program.ts";
import { Reading } from "./testing/reading.ts";
import { testDomain, testParticipant, until } from "./testing/domain.ts";

const reliable: Qos = { reliability: "RELIABLE", history: { kind: "KEEP_ALL" } };
const value = { sensor: "roof", celsius: 1, tags: ["outdoor"] };
/** Maximum time from a signal to the end of a program, milliseconds. */
const STOP_MS = 5000;

interface Pair {
  readonly writer: Writer<typeof Reading>;
  readonly reader: Reader<typeof Reading>;
}

async function pair(participant: ReturnType<typeof testParticipant>): Promise<Pair> {
  const topic = participant.topic("Readings", Reading);
  const reader = participant.reader(topic, reliable);
  const writer = participant.writer(topic, reliable);
  await until("a match", () => writer.matched.current === 1);
  return { writer, reader };
}

describe("after close", () => {
  test("every method of every entity says that it is closed", () => {
    const participant = testParticipant();
    const topic = participant.topic("Readings", Reading);
    const writer = participant.writer(topic);
    const reader = participant.reader(topic);
    participant.close();
    const calls: Readonly<Record<string, () => unknown>> = {
      "participant.topic": () => participant.topic("Other", Reading),
      "participant.writer": () => participant.writer(topic),
      "participant.reader": () => participant.reader(topic),
      "writer.write": () => writer.write(value),
      "writer.dispose": () => writer.dispose({ sensor: "roof" }),
      "writer.unregister": () => writer.unregister({ sensor: "roof" }),
      "writer.flush": () => writer.flush(),
      "writer.waitForAcknowledgments": () => writer.waitForAcknowledgments(1),
      "writer.matched": () => writer.matched,
      "writer.incompatibleQos": () => writer.incompatibleQos,
      "reader.take": () => reader.take(() => {}),
      "reader.takeObjects": () => reader.takeObjects(),
      "reader.wait": () => reader.wait(0),
      "reader.copy": () => reader.copy(),
      "reader.onData": () => reader.onData(() => {}),
      "reader.matched": () => reader.matched,
      "reader.incompatibleQos": () => reader.incompatibleQos,
      "reader.samplesLost": () => reader.samplesLost,
      "reader.samplesRejected": () => reader.samplesRejected,
      "reader.deadlinesMissed": () => reader.deadlinesMissed,
      "reader.liveliness": () => reader.liveliness,
    };
    for (const call of Object.values(calls)) expect(call).toThrow(DdsClosedError);
    const methods = (prefix: string, entity: object): string[] =>
      Object.getOwnPropertyNames(Object.getPrototypeOf(entity))
        .filter((name) => !["constructor", "beforeDelete", "afterDelete"].includes(name))
        .map((name) => `${prefix}.${name}`);
    const all = [...methods("writer", writer), ...methods("reader", reader)];
    expect(Object.keys(calls)).toEqual(expect.arrayContaining(all));
  });

  test("closing again is harmless, in any order", async () => {
    const participant = testParticipant();
    const topic = participant.topic("Readings", Reading);
    const entities = [participant.reader(topic), participant.writer(topic), topic, participant];
    for (const entity of [...entities, ...entities.toReversed()]) {
      entity.close();
      expect(entity.closed).toBe(true);
      entity[Symbol.dispose]();
      await entity[Symbol.asyncDispose]();
    }
  });

  test("a participant has closed what was made from it, and a topic that is in use goes last", async () => {
    await using participant = testParticipant();
    const { writer, reader } = await pair(participant);
    writer.topic.close();
    expect(() => participant.writer(writer.topic)).toThrow(DdsClosedError);
    writer.write(value);
    await until("the sample", () => reader.takeObjects().length === 1);
    participant.close();
    expect([writer.closed, reader.closed]).toEqual([true, true]);
  });

  test("await using closes each kind of entity at the end of its block", async () => {
    const made: { readonly closed: boolean }[] = [];
    {
      await using participant = testParticipant();
      await using topic = participant.topic("Readings", Reading);
      await using reader = participant.reader(topic);
      await using writer = participant.writer(topic);
      await using subscription = reader.onData(() => {});
      expect(subscription).toBeObject();
      made.push(participant, topic, reader, writer);
      expect(made.map(({ closed }) => closed)).toEqual([false, false, false, false]);
    }
    expect(made.map(({ closed }) => closed)).toEqual([true, true, true, true]);
  });
});

describe("closing that fails", () => {
  /** An entity that C does not know. */
  class Unknown extends Entity {
    constructor(parent: Entity) {
      super(2 ** 30, "unknown", parent);
    }
  }

  test("does not keep the rest open, and is heard of", async () => {
    const domain = testDomain();
    const participant = createParticipant(domain);
    const bad = new Unknown(participant);
    const { writer } = await pair(participant);
    expect(() => participant.close()).toThrow(DdsError);
    expect([bad.closed, writer.closed, participant.closed]).toEqual([true, true, true]);
    // close() closes the domain, too: it can be configured again.
    createParticipant(domain).close();
  });

  test("several times is one error with all of them", () => {
    const participant = testParticipant();
    const unknown = [new Unknown(participant), new Unknown(participant)];
    let caught: unknown;
    try {
      participant.close();
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(AggregateError);
    expect((caught as AggregateError).errors).toHaveLength(unknown.length);
  });
});

describe("with samples on their way", () => {
  test("a reader can be closed by its own visitor, which then sees no more", async () => {
    await using participant = testParticipant();
    const { writer, reader } = await pair(participant);
    for (let i = 0; i < 600; i++) writer.write(value);
    let visits = 0;
    reader.take(() => {
      visits++;
      if (visits === 3) reader.close();
    });
    expect(visits).toBe(3);
    expect(() => reader.take(() => {})).toThrow(DdsClosedError);
  });

  test("so can its participant, and with it the domain in whose memory the samples lie", async () => {
    const participant = testParticipant();
    const { writer, reader } = await pair(participant);
    for (let i = 0; i < 600; i++) writer.write(value);
    let visits = 0;
    const taken = reader.take(() => {
      visits++;
      if (visits === 3) participant.close();
    });
    expect([visits, taken]).toEqual([3, 3]);
    expect(participant.closed).toBe(true);
    // The library is started anew.
    await using next = testParticipant();
    await pair(next);
  });

  test("a participant can be closed by a callback of its reader", async () => {
    const participant = testParticipant();
    const { writer, reader } = await pair(participant);
    let calls = 0;
    reader.onData(() => {
      calls += reader.take(() => {});
      if (calls > 0) participant.close();
    });
    for (let i = 0; i < 100; i++) writer.write(value);
    await until("the close", () => participant.closed);
    expect(calls).toBeGreaterThan(0);
  });

  test("readers come and go while another process writes", async () => {
    const domain = testDomain();
    await using participant = createParticipant(domain);
    const topic = participant.topic("Readings", Reading);
    const writer = participant.writer(topic, { ...reliable, maxBlockingMs: 20_000 });
    for (let round = 0; round < 5; round++) {
      await using listener = await startListener(domain, "close");
      await until("the listener", () => writer.matched.current === 1);
      for (let i = 0; i < 2000; i++) writer.write(value);
      listener.process.kill("SIGTERM");
      expect(await listener.process.exited).toBe(0);
      expect(listener.process.signalCode).toBeNull();
      await until("its end", () => writer.matched.current === 0);
    }
  });

  test("a callback that throws is heard of, and the next ones are called", async () => {
    await using program = startProgram("thrower.ts", testDomain());
    const said = [await program.nextLine(), await program.nextLine(), await program.nextLine()];
    expect(said).toEqual(["caught first", "second callback", "took 2"]);
    await program.finish();
  });
});

describe("SIGTERM ends a program", () => {
  test("that waits for data", async () => {
    await using listener = await startListener(testDomain());
    listener.process.kill("SIGTERM");
    await until("its end", () => listener.hasEnded, STOP_MS);
    expect(listener.process.signalCode).toBe("SIGTERM");
  });

  test("that closes its participant in a handler", async () => {
    await using listener = await startListener(testDomain(), "close");
    listener.process.kill("SIGTERM");
    await until("its end", () => listener.hasEnded, STOP_MS);
    expect(await listener.nextLine()).toBe("closed");
    expect(listener.process.exitCode).toBe(0);
  });

  test("whose only thread is blocked in C", async () => {
    const domain = testDomain();
    await using listener = await startListener(domain);
    await using blocker = startProgram("blocker.ts", domain);
    expect(await blocker.nextLine()).toBe("matched");
    // A stopped reader never acknowledges.
    listener.process.kill("SIGSTOP");
    blocker.send("write");
    expect(await blocker.nextLine()).toBe("blocking");
    blocker.process.kill("SIGTERM");
    await until("its end", () => blocker.hasEnded, STOP_MS);
    expect(blocker.process.signalCode).toBe("SIGTERM");
  });
});
