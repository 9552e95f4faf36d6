import { expect, test } from "bun:test";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { ManualClock } from "../base/clock.ts";
import { watched } from "./exporters.ts";

const OK: ExportResult = { code: ExportResultCode.SUCCESS };
const FAILED: ExportResult = { code: ExportResultCode.FAILED, error: new Error("nobody listens") };

function setUp(results: ExportResult[]) {
  const sent: string[][] = [];
  const said: string[] = [];
  const exporter = watched(
    {
      export: (items: string[], done: (result: ExportResult) => void) => {
        sent.push(items);
        done(results.shift() ?? OK);
      },
      shutdown: () => Promise.resolve(),
    },
    "logs",
    (items: string[]) => items.length,
    {
      failing: (signal, reason, total) => said.push(`failing ${signal}: ${reason}, ${total}`),
      dropped: (_, items) => said.push(`dropped ${items}`),
      resumed: (_, total) => said.push(`resumed, ${total} dropped`),
    },
    new ManualClock(),
  );
  return { exporter, sent, said };
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
  const { exporter, sent, said } = setUp(Array.from({ length: 200 }, () => FAILED));
  for (let i = 0; i < 10; i++) exporter.export([`${i}`], () => {});
  expect(said.filter((line) => line === "dropped 1")).toHaveLength(4);
  await settled();
  expect(said.filter((line) => line === "dropped 1")).toHaveLength(10);
  expect(said.filter((line) => line.startsWith("failing"))).toHaveLength(1);
  expect(sent).toHaveLength(10 + 6 * 4);
});
