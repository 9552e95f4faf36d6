import { expect, test } from "bun:test";
import { labPorts } from "../contract/topology.ts";
import type { Lab, Lifetime } from "../lab/lab.ts";
import type { RunContext } from "./context.ts";
import { withOwnLabs } from "./labs.ts";
import { silent } from "./testing/silent.ts";

/** Fake labs, some of them up; `done` records the calls. */
function labsWith(up: Readonly<Record<number, Lifetime>>) {
  const done: string[] = [];
  const stop = new AbortController();
  const createLab: RunContext["createLab"] = ({ index }) => {
    const lifetime = up[index];
    return {
      ports: labPorts(index),
      status: () => Promise.resolve(lifetime === undefined ? null : { index, lifetime }),
      down: () => Promise.resolve(void done.push(`down ${index}`)),
      up: () => Promise.resolve(void done.push(`up ${index}`)),
    } as unknown as Lab;
  };
  const context: RunContext = { signal: stop.signal, progress: () => silent, createLab };
  const body = () => Promise.resolve(void done.push("body"));
  return { context, done, body, stop };
}

const range = { engine: "native", first: 2, count: 3 };

test("every lab of the range that was up is taken down before and started again after", async () => {
  const { context, done, body } = labsWith({ 1: "until-down", 2: "until-down", 4: "until-down" });
  await withOwnLabs(context, range, body);
  expect(done).toEqual(["down 2", "down 4", "body", "up 2", "up 4"]);
});

test("they are started again after a failure, and not when the program was told to stop", async () => {
  const { context, done, stop } = labsWith({ 2: "until-down" });
  const failing = withOwnLabs(context, range, () => Promise.reject(new Error("it broke")));
  await expect(failing).rejects.toThrow("it broke");
  expect(done).toEqual(["down 2", "up 2"]);
  await withOwnLabs(context, range, () => Promise.resolve(stop.abort()));
  expect(done).toEqual(["down 2", "up 2", "down 2"]);
});

test("a lab that another run lives with is left alone, and so are all others", async () => {
  const { context, done, body } = labsWith({ 2: "until-down", 4: "with-caller" });
  await expect(withOwnLabs(context, range, body)).rejects.toThrow("Cannot use lab 4: another run");
  expect(done).toEqual([]);
});

test("a range must end at the last lab", async () => {
  const { context, done, body } = labsWith({});
  const running = withOwnLabs(context, { ...range, first: 8 }, body);
  await expect(running).rejects.toThrow("the last index must be at most 9, but is 10");
  expect(done).toEqual([]);
});
