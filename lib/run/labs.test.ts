import { expect, test } from "bun:test";
import { EnvironmentError, UsageError } from "../base/errors.ts";
import { labPorts } from "../contract/topology.ts";
import type { Lab, Lifetime } from "../lab/lab.ts";
import type { RunContext } from "./context.ts";
import { type LabRange, refuseClaimed, withOwnLabs } from "./labs.ts";
import { silent } from "./testing/silent.ts";

/** Fake labs, some of them up, some of them taken by other runs; `done` records the calls. */
function labsWith(
  up: Readonly<Record<number, Lifetime | "another checkout">>,
  taken: number[] = [],
) {
  const done: string[] = [];
  const held = new Set(taken);
  const createLab: RunContext["createLab"] = ({ index }) => {
    const lifetime = up[index];
    return {
      ports: labPorts(index),
      status: () =>
        lifetime === "another checkout"
          ? Promise.reject(new EnvironmentError("somebody else's"))
          : Promise.resolve(lifetime === undefined ? null : { index, lifetime }),
      down: () => Promise.resolve(void done.push(`down ${index}`)),
      up: () => Promise.resolve(void done.push(`up ${index}`)),
    } as unknown as Lab;
  };
  const claimLab = (index: number) => {
    if (held.has(index)) return undefined;
    held.add(index);
    return { release: () => void held.delete(index) };
  };
  const { signal } = new AbortController();
  const context: RunContext = { signal, progress: () => silent, createLab, claimLab };
  const body = ({ first, count }: LabRange) =>
    Promise.resolve(void done.push(`${count} from ${first}, held ${[...held].join(" ")}`));
  return { context, done, body, held };
}

const engine = "native";

test("a run takes the first labs that are free, and touches none that is up", async () => {
  const { context, done, body, held } = labsWith({ 0: "until-down", 3: "with-caller" });
  await withOwnLabs(context, { engine, count: 2 }, body);
  expect(done).toEqual(["2 from 1, held 1 2"]);
  await withOwnLabs(context, { engine, count: 3 }, body);
  expect(done[1]).toBe("3 from 4, held 4 5 6");
  expect(held.size).toBe(0);
});

test("two runs at once get different labs, though both are down between two incidents", async () => {
  const { context, done, body } = labsWith({});
  await withOwnLabs(context, { engine, count: 1 }, async (labs) => {
    await body(labs);
    await withOwnLabs(context, { engine, count: 1 }, body);
    expect(() => refuseClaimed(context, 0)).toThrow("Cannot use lab 0: another run");
    refuseClaimed(context, 1);
  });
  expect(done).toEqual(["1 from 0, held 0", "1 from 1, held 0 1"]);
});

test("what was taken is given back after a failure", async () => {
  const { context, held } = labsWith({});
  const failing = withOwnLabs(context, { engine, count: 2 }, () =>
    Promise.reject(new Error("it broke")),
  );
  await expect(failing).rejects.toThrow("it broke");
  expect(held.size).toBe(0);
});

test.each([
  [{ 4: "with-caller" } as const, [], "Cannot use lab 4: another run"],
  [{ 3: "until-down" } as const, [], "Cannot use lab 3: it is up; take it down with"],
  [{ 2: "another checkout" } as const, [], "somebody else's"],
  [{}, [3], "Cannot use lab 3: another run"],
])("labs that were asked for by index must be free: %j %j", async (up, taken, said) => {
  const { context, done, body, held } = labsWith(up, taken);
  const running = withOwnLabs(context, { engine, first: 2, count: 3 }, body);
  await expect(running).rejects.toThrow(UsageError);
  await expect(running).rejects.toThrow(said);
  expect([done, [...held]]).toEqual([[], taken]);
});

test("without free labs there is no run", async () => {
  const { context, body } = labsWith({ 0: "until-down", 5: "until-down" }, [9]);
  const running = withOwnLabs(context, { engine, count: 5 }, body);
  await expect(running).rejects.toThrow("5 neighbouring lab(s) of 0 to 9 must be free");
});

test("a range must end at the last lab", async () => {
  const { context, done, body } = labsWith({});
  const running = withOwnLabs(context, { engine, first: 8, count: 3 }, body);
  await expect(running).rejects.toThrow("the last index must be at most 9, but is 10");
  expect(done).toEqual([]);
});
