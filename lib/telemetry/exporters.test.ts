import { expect, test } from "bun:test";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { ManualClock } from "../base/clock.ts";
import { QueueGate, watched } from "./exporters.ts";

const OK: ExportResult = { code: ExportResultCode.SUCCESS };
const FAILED: ExportResult = { code: ExportResultCode.FAILED, error: new Error("nobody listens") };

function setUp(results: ExportResult[]) {
  const sent: string[][] = [];
  const said: string[] = [];
  const connections: string[] = [];
  const clock = new ManualClock();
  const exporter = watched({
    signal: "logs",
    make: (connection) => {
      connections.push(`made ${connection}`);
      return {
        export: (items: string[], done: (result: ExportResult) => void) => {
          sent.push(items);
          done(results.shift() ?? OK);
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
    clock,
  });
  return { exporter, sent, said, connections, clock };
}

const settled = async (): Promise<void> => {
  for (let i = 0; i < 50; i++) await Promise.resolve();
};

test("a failed batch is sent again, and both ends of the failure are said once", async () => {
  const { exporter, sent, said } = setUp([FAILED, FAILED, OK]);
  let result: ExportResult | undefined;
  exporter.export(["a", "b"], (got) => (result = got));
  await settled();
  expect(result).toEqual(OK);
  expect(sent).toEqual([
    ["a", "b"],
    ["a", "b"],
    ["a", "b"],
  ]);
  expect(said).toEqual(["failing logs: nobody listens, 0", "resumed, 0 dropped"]);
});

test("what fails to the end is lost and counted, and many batches do not pile up", async () => {
  const { exporter, sent, said } = setUp(Array.from({ length: 400 }, () => FAILED));
  for (let i = 0; i < 30; i++) exporter.export([`${i}`], () => {});
  expect(said.filter((line) => line === "dropped 1")).toHaveLength(6);
  await settled();
  expect(said.filter((line) => line === "dropped 1")).toHaveLength(30);
  expect(said.filter((line) => line.startsWith("failing"))).toHaveLength(1);
  expect(sent).toHaveLength(30 + 24 * 4);
});

test("an outage ends with a new connection, not with the old one's long pauses", async () => {
  const { exporter, said, connections, clock } = setUp(Array.from({ length: 10 }, () => FAILED));
  exporter.export(["early"], () => {});
  await settled();
  expect(connections).toEqual(["made 1"]);
  clock.advance(10_000);
  exporter.export(["late"], () => {});
  await settled();
  expect(connections).toEqual(["made 1", "made 2", "shut down 1"]);
  exporter.export(["back"], () => {});
  await settled();
  expect(said.at(-1)).toBe("resumed, 2 dropped");
  await exporter.shutdown();
  expect(connections.at(-1)).toBe("shut down 2");
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
