import { expect, test } from "bun:test";
import { join } from "node:path";
import { tryNamedLock } from "./named-lock.ts";

const MODULE = join(import.meta.dir, "named-lock.ts");

/**
 * Starts another process that tries to take the lock, reports the result, and runs until its
 * standard input closes.
 */
async function otherTakes(name: string) {
  const child = Bun.spawn(
    [
      process.execPath,
      "-e",
      `const { tryNamedLock } = await import(${JSON.stringify(MODULE)});
       const lock = tryNamedLock(${JSON.stringify(name)});
       process.stdout.write(lock === undefined ? "taken" : "mine!");
       await Bun.stdin.text();`,
    ],
    { stdin: "pipe", stdout: "pipe" },
  );
  const { value } = await child.stdout.getReader().read();
  return { child, said: new TextDecoder().decode(value) };
}

test("one holder at a time, in this process and in others; a name more is another lock", async () => {
  const name = `test-lock-${process.pid}`;
  const lock = tryNamedLock(name);
  expect(lock).toBeDefined();
  expect(tryNamedLock(name)).toBeUndefined();
  const other = await otherTakes(name);
  expect(other.said).toBe("taken");
  other.child.kill();
  const second = tryNamedLock(`${name}-2`);
  expect(second).toBeDefined();
  second?.release();
  lock?.release();
  const again = tryNamedLock(name);
  expect(again).toBeDefined();
  again?.release();
});

test("kill -9 of the holder frees it", async () => {
  const name = `test-lock-killed-${process.pid}`;
  const other = await otherTakes(name);
  expect(other.said).toBe("mine!");
  expect(tryNamedLock(name)).toBeUndefined();
  other.child.kill("SIGKILL");
  await other.child.exited;
  const lock = tryNamedLock(name);
  expect(lock).toBeDefined();
  lock?.release();
});
