/**
 * Everything a reader reports beside the data: instances, their states, time of writing, and
 * matched endpoints.
 */
import { describe, expect, test } from "bun:test";
import { createParticipant, type Infer, type Qos, type Reader, type Writer } from "./mod.ts";
import { startListener } from "./testing/program.ts";
import { Reading } from "./testing/reading.ts";
import { testDomain, testParticipant, until } from "./testing/domain.ts";

const reliable: Qos = { reliability: "RELIABLE", history: { kind: "KEEP_ALL" } };
const kept: Qos = { ...reliable, durability: "TRANSIENT_LOCAL" };
const reading = (sensor: string, celsius: number): Infer<typeof Reading> => ({
  sensor,
  celsius,
  tags: [],
});

/** Takes until there are `count` samples. */
async function takeAll(
  reader: Reader<typeof Reading>,
  count: number,
): Promise<ReturnType<typeof reader.takeObjects>> {
  const taken: ReturnType<typeof reader.takeObjects> = [];
  await until(`${count} samples`, () => {
    taken.push(...reader.takeObjects());
    return taken.length >= count;
  });
  return taken;
}

const states = (reader: Reader<typeof Reading>): Promise<string[]> =>
  takeAll(reader, 1).then((taken) => taken.map(({ info }) => info.instanceState));

const matched = (writer: Writer<typeof Reading>, readers = 1): Promise<void> =>
  until("a match", () => writer.matched.current === readers);

describe("a late joiner", () => {
  // A reader returns samples instance by instance; they are in order only within an instance.
  const bySensor = (some: readonly (typeof orders)[number][]): object =>
    Object.groupBy(some, ({ sensor }) => sensor);
  const orders = Array.from({ length: 500 }, (_, i) => reading(`sensor ${i % 7}`, i));

  test("gets every sample that a writer of another participant has kept, in order", async () => {
    const domain = testDomain();
    await using first = createParticipant(domain);
    const writer = first.writer(first.topic("Readings", Reading), kept);
    for (const order of orders) writer.write(order);
    await using second = createParticipant({ domainId: domain.domainId });
    const reader = second.reader(second.topic("Readings", Reading), kept);
    const taken = await takeAll(reader, orders.length);
    expect(bySensor(taken.map(({ value }) => value))).toEqual(bySensor(orders));
  });

  const ways: readonly (readonly [string, Qos, Qos])[] = [
    ["the topic says how many, the writer that", reliable, { durability: "TRANSIENT_LOCAL" }],
    [
      "the topic says that, the writer how many",
      { reliability: "RELIABLE", durability: "TRANSIENT_LOCAL" },
      { history: { kind: "KEEP_ALL" } },
    ],
  ];
  test.each(ways)("gets what is kept of an instance: %s", async (_, ofTopic, ofWriter) => {
    const domain = testDomain();
    await using first = createParticipant(domain);
    const writer = first.writer(first.topic("Readings", Reading, ofTopic), ofWriter);
    for (let i = 0; i < 10; i++) writer.write(reading("roof", i));
    await using second = createParticipant({ domainId: domain.domainId });
    const reader = second.reader(second.topic("Readings", Reading), kept);
    const taken = await takeAll(reader, 10);
    expect(taken.map(({ value }) => value.celsius)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("gets them also in another process", async () => {
    const domain = testDomain();
    await using participant = createParticipant(domain);
    const writer = participant.writer(participant.topic("Readings", Reading), kept);
    for (const order of orders) writer.write(order);
    await using listener = await startListener(domain, "transient");
    const heard: (typeof orders)[number][] = [];
    while (heard.length < orders.length) {
      const { state, ...order } = JSON.parse(await listener.nextLine());
      expect(state).toBe("ALIVE");
      heard.push(order);
    }
    expect(bySensor(heard)).toEqual(bySensor(orders));
  });

  test("gets nothing from a volatile writer but what is written afterwards", async () => {
    await using participant = testParticipant();
    const topic = participant.topic("Readings", Reading);
    const writer = participant.writer(topic, reliable);
    writer.write(reading("roof", 1));
    const reader = participant.reader(topic, reliable);
    await matched(writer);
    writer.write(reading("roof", 2));
    expect((await takeAll(reader, 1)).map(({ value }) => value.celsius)).toEqual([2]);
  });
});

describe("an instance", () => {
  test("is alive, then disposed, then alive again when it is written again", async () => {
    await using participant = testParticipant();
    const topic = participant.topic("Readings", Reading);
    const [writer, reader] = [
      participant.writer(topic, reliable),
      participant.reader(topic, reliable),
    ];
    await matched(writer);
    writer.write(reading("roof", 1));
    expect(await states(reader)).toEqual(["ALIVE"]);
    writer.dispose({ sensor: "roof" });
    expect(await states(reader)).toEqual(["NOT_ALIVE_DISPOSED"]);
    writer.write(reading("roof", 2));
    const [again] = await takeAll(reader, 1);
    expect(again?.info).toMatchObject({ instanceState: "ALIVE", viewState: "NEW", valid: true });
  });

  test("has no writers once the last one has unregistered it, without autodispose", async () => {
    await using participant = testParticipant();
    const topic = participant.topic("Readings", Reading);
    const qos = { ...reliable, autodispose: false };
    const reader = participant.reader(topic, reliable);
    const [one, other] = [participant.writer(topic, qos), participant.writer(topic, qos)];
    await matched(one);
    await matched(other);
    one.write(reading("roof", 1));
    other.write(reading("roof", 2));
    await takeAll(reader, 2);
    one.unregister({ sensor: "roof" });
    one.write(reading("cellar", 3));
    // The other writer still writes the first instance, so only the second one ends.
    expect((await takeAll(reader, 1)).map(({ value }) => value.sensor)).toEqual(["cellar"]);
    other.unregister({ sensor: "roof" });
    const [end] = await takeAll(reader, 1);
    expect(end?.info).toMatchObject({ instanceState: "NOT_ALIVE_NO_WRITERS", valid: false });
    expect(end?.value as object).toEqual({ sensor: "roof" });
  });

  test("is disposed by an unregistering or closing writer unless told otherwise", async () => {
    await using participant = testParticipant();
    const topic = participant.topic("Readings", Reading);
    const [writer, reader] = [
      participant.writer(topic, reliable),
      participant.reader(topic, reliable),
    ];
    await matched(writer);
    writer.write(reading("roof", 1));
    writer.write(reading("cellar", 1));
    await takeAll(reader, 2);
    writer.unregister({ sensor: "roof" });
    expect(await states(reader)).toEqual(["NOT_ALIVE_DISPOSED"]);
    writer.close();
    expect(await states(reader)).toEqual(["NOT_ALIVE_DISPOSED"]);
  });

  test("is new until its first sample is taken, each instance for itself", async () => {
    await using participant = testParticipant();
    const topic = participant.topic("Readings", Reading);
    const [writer, reader] = [
      participant.writer(topic, reliable),
      participant.reader(topic, reliable),
    ];
    await matched(writer);
    const views = async (): Promise<string[]> => {
      const taken = await takeAll(reader, 1);
      return taken.map(({ value, info }) => `${value.sensor} ${info.viewState}`);
    };
    writer.write(reading("roof", 1));
    expect(await views()).toEqual(["roof NEW"]);
    writer.write(reading("roof", 2));
    expect(await views()).toEqual(["roof OLD"]);
    writer.write(reading("cellar", 3));
    expect(await views()).toEqual(["cellar NEW"]);
  });
});

describe("a sample", () => {
  test("without data shows its key and nothing else", async () => {
    await using participant = testParticipant();
    const topic = participant.topic("Readings", Reading);
    const [writer, reader] = [
      participant.writer(topic, reliable),
      participant.reader(topic, reliable),
    ];
    await matched(writer);
    writer.write(reading("roof", 1));
    await takeAll(reader, 1);
    writer.dispose({ sensor: "roof" });
    const seen: string[] = [];
    await until("the end", () => {
      const visit = (sample: Infer<typeof Reading>): void => {
        seen.push(sample.sensor);
        expect(() => sample.celsius).toThrow("Cannot read celsius: the sample holds only its key");
      };
      return reader.take(visit) > 0;
    });
    expect(seen).toEqual(["roof"]);
  });

  test("says when it was written", async () => {
    await using participant = testParticipant();
    const topic = participant.topic("Readings", Reading);
    const [writer, reader] = [
      participant.writer(topic, reliable),
      participant.reader(topic, reliable),
    ];
    await matched(writer);
    const before = Date.now();
    for (let i = 0; i < 3; i++) writer.write(reading("roof", i));
    const after = Date.now();
    const times = (await takeAll(reader, 3)).map(({ info }) => info.sourceUnixMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(before - 1);
    expect(times[2]).toBeLessThanOrEqual(after + 1);
  });

  test("has not been read before it is taken", async () => {
    await using participant = testParticipant();
    const topic = participant.topic("Readings", Reading);
    const [writer, reader] = [
      participant.writer(topic, reliable),
      participant.reader(topic, reliable),
    ];
    await matched(writer);
    writer.write(reading("roof", 1));
    const [taken] = await takeAll(reader, 1);
    expect(taken?.info).toMatchObject({ sampleState: "NOT_READ", valid: true });
  });
});

describe("several", () => {
  test("readers each get every sample of several writers", async () => {
    await using participant = testParticipant();
    const topic = participant.topic("Readings", Reading);
    const readers = [0, 1, 2].map(() => participant.reader(topic, reliable));
    const writers = [0, 1].map(() => participant.writer(topic, reliable));
    for (const writer of writers) await matched(writer, readers.length);
    writers.forEach((writer, i) => writer.write(reading("roof", i)));
    for (const reader of readers) {
      const celsius = (await takeAll(reader, 2)).map(({ value }) => value.celsius);
      expect(celsius.toSorted((a, b) => a - b)).toEqual([0, 1]);
      expect(reader.matched).toEqual({ current: 2, total: 2 });
    }
  });

  test("participants of one process talk, and closing one leaves the other at work", async () => {
    const domain = testDomain();
    await using first = createParticipant(domain);
    await using second = createParticipant({ domainId: domain.domainId });
    const third = createParticipant({ domainId: domain.domainId });
    const writer = first.writer(first.topic("Readings", Reading), reliable);
    const reader = second.reader(second.topic("Readings", Reading), reliable);
    third.reader(third.topic("Readings", Reading), reliable);
    await matched(writer, 2);
    third.close();
    await matched(writer, 1);
    writer.write(reading("roof", 1));
    expect(await takeAll(reader, 1)).toHaveLength(1);
  });

  test("domains do not hear each other", async () => {
    const [near, far] = [testDomain(), testDomain()];
    // With the same discovery tag, only the domain id separates them.
    await using inFar = createParticipant({ ...far, configXml: near.configXml });
    await using inNear = createParticipant(near);
    expect([inNear.domainId, inFar.domainId]).toEqual([near.domainId, far.domainId]);
    const deaf = inFar.reader(inFar.topic("Readings", Reading), reliable);
    await using listener = await startListener(near);
    const writer = inNear.writer(inNear.topic("Readings", Reading), reliable);
    await matched(writer);
    writer.write(reading("roof", 1));
    expect(JSON.parse(await listener.nextLine())).toMatchObject({ sensor: "roof" });
    expect(deaf.matched).toEqual({ current: 0, total: 0 });
    expect(deaf.takeObjects()).toEqual([]);
  });
});

describe("a reader's statuses", () => {
  test("count missed deadlines", async () => {
    await using participant = testParticipant();
    const topic = participant.topic("Readings", Reading);
    const qos = { ...reliable, deadlineMs: 20 };
    const [writer, reader] = [participant.writer(topic, qos), participant.reader(topic, qos)];
    await matched(writer);
    writer.write(reading("roof", 1));
    await until("a missed deadline", () => reader.deadlinesMissed > 0);
  });

  test("tell how many writers are alive", async () => {
    await using participant = testParticipant();
    const topic = participant.topic("Readings", Reading);
    const reader = participant.reader(topic, reliable);
    const writers = [0, 1].map(() => participant.writer(topic, reliable));
    await until("two writers", () => reader.liveliness.alive === 2);
    writers[0]?.close();
    await until("one writer less", () => reader.liveliness.alive === 1);
    expect(reader.liveliness.notAlive).toBe(0);
    expect([reader.samplesLost, reader.samplesRejected]).toEqual([0, 0]);
  });
});
