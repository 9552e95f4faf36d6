/** Wake-ups: few, none lost, and none after the thread has ended. */
import { describe, expect, test } from "bun:test";
import { Worker } from "node:worker_threads";
import { createParticipant, type Qos, type Reader, type Writer } from "./mod.ts";
import { startProgram } from "./testing/program.ts";
import { Reading } from "./testing/reading.ts";
import type { WorkerTask } from "./testing/worker.ts";
import { testDomain, testParticipant, until } from "./testing/domain.ts";

const reliable: Qos = { reliability: "RELIABLE", history: { kind: "KEEP_ALL" } };
const value = { sensor: "roof", celsius: 1, tags: [] };
/** Maximum time to the end of a thread or program, milliseconds. */
const STOP_MS = 5000;

interface Pair extends Disposable {
  readonly writer: Writer<typeof Reading>;
  readonly reader: Reader<typeof Reading>;
}

async function pair(): Promise<Pair> {
  const participant = testParticipant();
  const topic = participant.topic("Readings", Reading);
  const reader = participant.reader(topic, reliable);
  const writer = participant.writer(topic, reliable);
  await until("a match", () => writer.matched.current === 1);
  return { writer, reader, [Symbol.dispose]: () => participant.close() };
}

describe("wake-ups", () => {
  test("of arrivals in a row are one", async () => {
    using both = await pair();
    const { writer, reader } = both;
    const counts: number[] = [];
    reader.onData(() => counts.push(reader.take(() => {})));
    await until("the call at the start", () => counts.length === 1);
    for (let i = 0; i < 100; i++) writer.write(value);
    await until("the samples", () => counts.length > 1);
    expect(counts).toEqual([0, 100]);
  });

  test.each([1, 10, 256])("come until all is taken by %d at a time", async (max) => {
    using both = await pair();
    const { writer, reader } = both;
    for (let i = 0; i < 600; i++) writer.write(value);
    let taken = 0;
    reader.onData(() => void (taken += reader.take(() => {}, max)));
    await until("all samples", () => taken === 600);
  });

  test("come for what a visitor that throws has left", async () => {
    await using program = startProgram("visit-thrower.ts", testDomain());
    const said = [await program.nextLine(), await program.nextLine()];
    expect(said).toEqual(["caught visit", "took 44"]);
    await program.finish();
  });

  test("come for what arrives while a callback looks, and let others have their turn", async () => {
    using both = await pair();
    const { writer, reader } = both;
    let [taken, isTimeUp] = [0, false];
    setTimeout(() => (isTimeUp = true), 20);
    reader.onData(() => {
      taken += reader.take(() => {});
      if (taken > 1_000_000) throw new Error("No other event has had its turn");
      // The sample has arrived when this returns.
      if (!isTimeUp || taken <= 10) writer.write(value);
    });
    await until("the end of it", () => isTimeUp);
    await until("the samples", () => taken > 10);
  });

  test("of a stream leave a moment to the threads that receive and send", async () => {
    using both = await pair();
    const { writer, reader } = both;
    const writeMany = (): void => {
      for (let i = 0; i < 40; i++) writer.write(value);
    };
    let timers = 0;
    const timersBefore: number[] = [];
    reader.onData(() => {
      if (reader.take(() => {}) === 0) return;
      timersBefore.push(timers);
      setTimeout(() => timers++, 1);
      if (timersBefore.length < 5) writeMany();
    });
    writeMany();
    await until("the samples", () => timersBefore.length === 5);
    expect(timersBefore).toEqual([0, 1, 2, 3, 4]);
  });

  test("do not come when nothing has arrived", async () => {
    using both = await pair();
    const { writer, reader } = both;
    let calls = 0;
    reader.onData(() => {
      calls++;
      reader.take(() => {});
    });
    await until("the call at the start", () => calls === 1);
    writer.write(value);
    await until("the sample", () => calls === 2);
    await Bun.sleep(50);
    expect(calls).toBe(2);
  });

  test("are not lost, however threads meet", async () => {
    const domain = testDomain();
    await using participant = createParticipant(domain);
    const topic = participant.topic("Readings", Reading);
    const reader = participant.reader(topic, reliable);
    await using program = startProgram("echo.ts", domain);
    const writer = participant.writer(participant.topic("Calls", Reading), reliable);
    await until("the echo", () => writer.matched.current === 1 && reader.matched.current === 1);
    // Each side answers the other: after one lost wake-up both stay silent.
    let answers = 0;
    reader.onData(() => {
      answers += reader.take(() => writer.write(value));
    });
    for (let i = 0; i < 3; i++) writer.write(value);
    await until("the answers", () => answers >= 20_000, 60_000);
    expect(program.hasEnded).toBe(false);
  }, 70_000);
});

/** Writes until it is disposed. */
function flood(domain: ReturnType<typeof testDomain>): Disposable {
  const participant = createParticipant(domain);
  const writer = participant.writer(participant.topic("Readings", Reading));
  const timer = setInterval(() => {
    for (let i = 0; i < 40; i++) writer.write(value);
  }, 1);
  const dispose = (): void => {
    clearInterval(timer);
    participant.close();
  };
  return { [Symbol.dispose]: dispose };
}

describe("while samples arrive, a program", () => {
  test.each([
    ["exits in a callback", 3, null],
    ["exits without handlers", 3, null],
    ["throws in a callback", 1, null],
    ["rejects in a callback", 1, null],
    ["reads on while it exits", 3, null],
    ["closes and has nothing left to do", 0, null],
    ["is interrupted", null, "SIGINT"],
    ["exits while a worker reads", 3, null],
  ] as const)(
    "%s",
    async (way, code, signal) => {
      const domain = testDomain();
      using _ = flood(domain);
      for (let round = 0; round < 5; round++) {
        await using program = startProgram("ender.ts", domain, way);
        expect(await program.nextLine()).toBe("ending");
        await until("its end", () => program.hasEnded, STOP_MS);
        expect([program.process.exitCode, program.process.signalCode]).toEqual([code, signal]);
      }
    },
    60_000,
  );
});

describe("while samples arrive, a worker", () => {
  test.each(["never", "exit", "throw", "close"] as const)(
    "has readers and an end (%s)",
    async (end) => {
      const domain = testDomain();
      using _ = flood(domain);
      for (let round = 0; round < 5; round++) {
        const taken = new Int32Array(new SharedArrayBuffer(4));
        const workerData: WorkerTask = { domainId: domain.domainId, end, taken };
        const worker = new Worker(new URL("testing/worker.ts", import.meta.url), { workerData });
        const errors: Error[] = [];
        worker.on("error", (error: Error) => errors.push(error));
        const ended = new Promise((resolve) => worker.once("exit", resolve));
        await until("samples", () => Atomics.load(taken, 0) >= 1000);
        if (end === "never") await worker.terminate();
        await ended;
        expect(errors.map(({ message }) => message)).toEqual(end === "throw" ? ["on purpose"] : []);
        Bun.gc(true);
      }
      // After the workers have ended, DDS threads still get samples for their readers.
      const participant = createParticipant({ domainId: domain.domainId });
      const reader = participant.reader(participant.topic("Readings", Reading));
      let taken = 0;
      reader.onData(() => {
        taken += reader.take(() => {});
      });
      await until("samples", () => taken > 1000);
      participant.close();
    },
    60_000,
  );
});
