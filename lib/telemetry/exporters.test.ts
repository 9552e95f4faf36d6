import { expect, test } from "bun:test";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import type { MonotonicClock } from "../base/clock.ts";
import { QueueGate, watched } from "./exporters.ts";

const OK: ExportResult = { code: ExportResultCode.SUCCESS };
const FAILED: ExportResult = { code: ExportResultCode.FAILED, error: new Error("nobody listens") };
const failedWith = (code: number): ExportResult => ({
  code: ExportResultCode.FAILED,
  error: Object.assign(new Error("not taken"), { code }),
});

const settled = async (): Promise<void> => {
  for (let i = 0; i < 200; i++) await Promise.resolve();
};

/** A clock whose sleepers wake when `pass()` reaches their time. */
class SteppedClock implements MonotonicClock {
  #nowMs = 0;
  #sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];

  /** Added to the wall clock; a test sets it. */
  wallAheadMs = 0;

  nowMs(): number {
    return this.#nowMs + this.wallAheadMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#sleepers.push({ atMs: this.#nowMs + ms, wake: resolve });
    return promise;
  }

  /** Advances the clock by `ms` milliseconds in steps of 500. */
  async pass(ms: number): Promise<void> {
    await settled();
    for (const endMs = this.#nowMs + ms; this.#nowMs < endMs; await settled()) {
      this.#nowMs += 500;
      const due = this.#sleepers.filter(({ atMs }) => atMs <= this.#nowMs);
      this.#sleepers = this.#sleepers.filter((sleeper) => !due.includes(sleeper));
      for (const { wake } of due) wake();
    }
  }
}

function setUp({ maxKept = 24 } = {}) {
  const receiver: { answer: (items: string[]) => ExportResult } = { answer: () => OK };
  const sent: string[][] = [];
  const tried: string[][] = [];
  const said: string[] = [];
  const connections: string[] = [];
  const clock = new SteppedClock();
  const exporter = watched({
    signal: "logs",
    make: (connection) => {
      connections.push(`made ${connection}`);
      return {
        export: (items: string[], done: (result: ExportResult) => void) => {
          const result = receiver.answer(items);
          tried.push(items);
          if (result === OK) sent.push(items);
          done(result);
        },
        shutdown: () => {
          connections.push(`shut down ${connection}`);
          return Promise.resolve();
        },
      };
    },
    sizeOf: (items: string[]) => items.length,
    observer: {
      failing: (signal, reason, total) => said.push(`failing ${signal}: ${reason}, ${total}`),
      dropped: (_, items) => said.push(`dropped ${items}`),
      resumed: (_, total) => said.push(`resumed, ${total} dropped`),
    },
    maxKept,
    clock,
  });
  const take = async (...items: string[]): Promise<ExportResult> =>
    new Promise((resolve) => exporter.export(items, resolve));
  return { exporter, receiver, sent, tried, said, connections, clock, take };
}

test("what an outage held up is sent when it is over, in order, and both ends are said once", async () => {
  const { receiver, sent, said, clock, take } = setUp();
  receiver.answer = () => FAILED;
  // take() does not wait for the end of the outage.
  expect(await take("a", "b")).toEqual(OK);
  expect(await take("c")).toEqual(OK);
  await clock.pass(5 * 60_000);
  expect(sent).toEqual([]);
  expect(said).toEqual(["failing logs: nobody listens, 0"]);
  receiver.answer = () => OK;
  await clock.pass(5000);
  expect(sent).toEqual([["a", "b"], ["c"]]);
  expect(said).toEqual(["failing logs: nobody listens, 0", "resumed, 0 dropped"]);
  await take("d");
  expect(sent.at(-1)).toEqual(["d"]);
});

test("beyond what may be kept, the newest are lost and counted", async () => {
  const { receiver, sent, said, clock, take } = setUp({ maxKept: 3 });
  receiver.answer = () => FAILED;
  await take("a", "b");
  await take("c", "d");
  await take("e");
  for (let i = 0; i < 1000; i++) await take("f");
  expect(said.filter((line) => line.startsWith("failing"))).toHaveLength(1);
  expect(said.filter((line) => line === "dropped 2")).toHaveLength(1);
  expect(said.filter((line) => line === "dropped 1")).toHaveLength(1000);
  receiver.answer = () => OK;
  await clock.pass(5000);
  expect(sent).toEqual([["a", "b"], ["e"]]);
  expect(said.at(-1)).toBe("resumed, 1002 dropped");
});

test("an outage costs one try at a time, whatever is produced meanwhile", async () => {
  const { receiver, tried, clock, take } = setUp();
  receiver.answer = () => FAILED;
  for (let second = 0; second < 60; second++) {
    await take("x");
    await clock.pass(1000);
  }
  // Attempts at once, after 0.5, 1, 2 and 4 s, and then every 5 s.
  expect(tried.length).toBeGreaterThan(10);
  expect(tried.length).toBeLessThan(20);
});

test("an outage is met with new connections, not with the old one's long pauses", async () => {
  const { exporter, receiver, connections, clock, take } = setUp();
  receiver.answer = () => FAILED;
  await take("early");
  await clock.pass(60_000);
  expect(connections.slice(0, 3)).toEqual(["made 1", "made 2", "shut down 1"]);
  expect(connections.length).toBeLessThan(2 * (60_000 / 10_000));
  receiver.answer = () => OK;
  await clock.pass(5000);
  const before = connections.length;
  await clock.pass(60_000);
  expect(connections).toHaveLength(before);
  await exporter.shutdown();
  expect(connections.filter((line) => line.startsWith("shut"))).toHaveLength((before + 1) / 2);
});

test("a machine whose clock was set back still makes new connections", async () => {
  const { receiver, connections, clock, take } = setUp();
  receiver.answer = () => FAILED;
  clock.wallAheadMs = -3_600_000;
  await take("early");
  await clock.pass(60_000);
  expect(connections.slice(0, 3)).toEqual(["made 1", "made 2", "shut down 1"]);
});

test("what a receiver refuses for good is lost and holds nobody up", async () => {
  const { receiver, sent, said, clock, take } = setUp();
  receiver.answer = ([item]) => (item === "bad" ? failedWith(3) : OK);
  await take("bad");
  await take("good");
  await clock.pass(60_000);
  expect(sent).toEqual([["good"]]);
  expect(said).toEqual(["failing logs: not taken, 0", "dropped 1", "resumed, 1 dropped"]);
});

test.each([1, 4, 10, 11, 14, 15])("gRPC code %i is worth another try", async (code) => {
  const { receiver, sent, said, clock, take } = setUp();
  receiver.answer = () => failedWith(code);
  await take("a");
  receiver.answer = () => OK;
  await clock.pass(1000);
  expect(sent).toEqual([["a"]]);
  expect(said.at(-1)).toBe("resumed, 0 dropped");
});

test("a signal that keeps nothing tries every batch and counts what it loses", async () => {
  const { receiver, sent, said, take } = setUp({ maxKept: 0 });
  receiver.answer = () => FAILED;
  await take("1");
  await take("2");
  receiver.answer = () => OK;
  await take("3");
  expect(sent).toEqual([["3"]]);
  expect(said).toEqual([
    "failing logs: nobody listens, 0",
    "dropped 1",
    "dropped 1",
    "resumed, 2 dropped",
  ]);
});

test("at shutdown, what is kept is tried once more, and no longer", async () => {
  const back = setUp();
  back.receiver.answer = () => FAILED;
  await back.take("a");
  await back.take("b");
  back.receiver.answer = () => OK;
  await back.exporter.shutdown();
  expect(back.sent).toEqual([["a"], ["b"]]);

  const gone = setUp();
  gone.receiver.answer = () => FAILED;
  await gone.take("a");
  await gone.take("b");
  await gone.exporter.shutdown();
  await gone.clock.pass(60_000);
  expect(gone.tried).toEqual([["a"], ["a"]]);
});

test("a batch is sent when the work at hand is done, not in the middle of it", async () => {
  const { exporter, tried } = setUp();
  const { promise, resolve } = Promise.withResolvers<ExportResult>();
  const done: string[] = [];
  exporter.export(["batch"], resolve);
  done.push(`next message, ${tried.length} tried`);
  await promise;
  done.push(`${tried.length} tried`);
  expect(done).toEqual(["next message, 0 tried", "1 tried"]);
});

test("the gate admits what the queue can hold, and counts the rest", () => {
  let dropped = 0;
  const gate = new QueueGate(2, () => dropped++);
  expect([gate.admit(), gate.admit(), gate.admit()]).toEqual([true, true, false]);
  expect(dropped).toBe(1);
  gate.taken(2);
  expect(gate.admit()).toBe(true);
  expect(dropped).toBe(1);
});
