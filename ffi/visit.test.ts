/** Allowed and forbidden uses of a visitor's views. */
import { describe, expect, test } from "bun:test";
import { Worker } from "node:worker_threads";
import {
  createParticipant,
  DdsClosedError,
  type Infer,
  type Qos,
  type Reader,
  type Writer,
} from "./mod.ts";
import { testDomain, testParticipant, until } from "./testing/domain.ts";
import { startProgram } from "./testing/program.ts";
import { Reading } from "./testing/reading.ts";
import type { WaiterTask } from "./testing/waiter.ts";

const reliable: Qos = { reliability: "RELIABLE", history: { kind: "KEEP_ALL" } };
type Sample = Infer<typeof Reading>;
const reading = (celsius: number): Sample => ({ sensor: "roof", celsius, tags: [] });

interface Pair extends Disposable {
  readonly writer: Writer<typeof Reading>;
  readonly reader: Reader<typeof Reading>;
}

async function pair(): Promise<Pair> {
  const participant = testParticipant();
  const topic = participant.topic("Readings", Reading, reliable);
  const reader = participant.reader(topic);
  const writer = participant.writer(topic);
  await until("a match", () => writer.matched.current === 1);
  return { writer, reader, [Symbol.dispose]: () => participant.close() };
}

describe("a visitor", () => {
  test("that is async is refused before a sample is taken", async () => {
    using both = await pair();
    const { writer, reader } = both;
    writer.write(reading(1));
    const visit = async (sample: Sample): Promise<void> => {
      await Promise.resolve();
      expect(sample.celsius).toBe(1);
    };
    expect(() => reader.take(visit)).toThrow(TypeError);
    expect(() => reader.take(visit)).toThrow("the visitor must not return a promise");
    expect(reader.takeObjects().map(({ value }) => value.celsius)).toEqual([1]);
  });

  test("that returns a promise is refused", async () => {
    using both = await pair();
    const { writer, reader } = both;
    writer.write(reading(1));
    writer.write(reading(2));
    const seen: number[] = [];
    // oxlint-disable-next-line typescript/promise-function-async -- an async function is refused earlier
    const visit = (sample: Sample): Promise<void> => {
      seen.push(sample.celsius);
      return Promise.resolve();
    };
    expect(() => reader.take(visit)).toThrow("the visitor must not return a promise");
    expect(seen).toEqual([1]);
  });

  test("may return anything else", async () => {
    using both = await pair();
    const { writer, reader } = both;
    writer.write(reading(1));
    expect(reader.take(() => null)).toBe(1);
  });

  test("copies what it keeps: its view shows nothing after the visit", async () => {
    using both = await pair();
    const { writer, reader } = both;
    writer.write(reading(1));
    const kept: { view: Sample; copy: Sample }[] = [];
    reader.take((view) => void kept.push({ view, copy: reader.copy() }));
    expect(kept[0]?.copy).toEqual(reading(1));
    expect(() => kept[0]?.view.celsius).toThrow("the view shows no sample after the visit");
    expect(() => reader.copy()).toThrow("none is being visited");
  });
});

describe("an iterator of wait()", () => {
  test("yields what is there, waits for more, and ends when there is none for the time", async () => {
    using both = await pair();
    const { writer, reader } = both;
    for (let i = 0; i < 600; i++) writer.write(reading(i));
    const seen: number[] = [];
    const startedMs = performance.now();
    for (const { value, info } of reader.wait(50)) {
      if (info.valid) seen.push(value.celsius);
      if (seen.length === 600) writer.write(reading(600));
    }
    expect(seen).toEqual(Array.from({ length: 601 }, (_, i) => i));
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(49);
  });

  test("goes on where a loop has left off, also for a take", async () => {
    using both = await pair();
    const { writer, reader } = both;
    for (let i = 0; i < 5; i++) writer.write(reading(i));
    const seen: number[] = [];
    const some = (count: number): void => {
      for (const { value } of reader.wait(0)) if (seen.push(value.celsius) === count) break;
    };
    some(1);
    some(2);
    expect(reader.take(({ celsius }) => void seen.push(celsius), 2)).toBe(2);
    seen.push(...reader.takeObjects().map(({ value }) => value.celsius));
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  });

  test("ends when its reader is closed", async () => {
    using both = await pair();
    const { writer, reader } = both;
    for (let i = 0; i < 5; i++) writer.write(reading(i));
    let seen = 0;
    for (const _ of reader.wait(1000)) if (++seen === 2) reader.close();
    expect(seen).toBe(2);
    expect(() => reader.wait(0)).toThrow(DdsClosedError);
  });

  test("and callbacks exclude each other", async () => {
    using both = await pair();
    const { reader } = both;
    const subscription = reader.onData(() => {});
    expect(() => reader.wait(0)).toThrow("onData() has a callback");
    subscription[Symbol.dispose]();
    expect([...reader.wait(0)]).toEqual([]);
    expect(() => reader.onData(() => {})).toThrow("its reader waits for samples");
    for (const ms of [-1, Number.NaN, Infinity]) {
      expect(() => reader.wait(ms)).toThrow("timeoutMs: it must be milliseconds");
    }
  });

  test("wakes a Worker that it blocks, which then ends by itself", async () => {
    const domain = testDomain();
    await using participant = createParticipant(domain);
    const writer = participant.writer(participant.topic("Readings", Reading, reliable));
    const taken = new Int32Array(new SharedArrayBuffer(4));
    const workerData: WaiterTask = { domainId: domain.domainId, samples: 1001, taken };
    const worker = new Worker(new URL("testing/waiter.ts", import.meta.url), { workerData });
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    await until("the Worker's reader", () => writer.matched.current === 1);
    writer.write(reading(0));
    await until("the first sample", () => Atomics.load(taken, 0) === 1);
    for (let i = 1; i <= 1000; i++) writer.write(reading(i));
    await until("the others", () => Atomics.load(taken, 0) === 1001);
    expect(await ended).toBe(0);
  });
});

describe("a reader that is refused", () => {
  test("does not keep the process alive", async () => {
    await using program = startProgram("refused.ts", testDomain());
    expect(await program.nextLine()).toBe("TypeError");
    await until("its end", () => program.hasEnded);
    await program.finish();
  });
});
