import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tryLock } from "./file-lock.ts";
import { waitUntil } from "./wait.ts";

const folder = mkdtempSync(join(tmpdir(), "file-lock-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("holds against this program and others, and ends with its holder, even by SIGKILL", async () => {
  const path = join(folder, "lock");
  const first = tryLock(path);
  expect(first).toBeDefined();
  expect(tryLock(path)).toBeUndefined();
  first?.release();
  const script = `import { tryLock } from ${JSON.stringify(`${import.meta.dir}/file-lock.ts`)};
    const lock = tryLock(${JSON.stringify(path)});
    console.log(lock === undefined ? "refused" : "held");
    setTimeout(() => lock.release(), 10_000);`;
  const other = Bun.spawn([process.execPath, "-e", script], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  const { value } = await other.stdout.getReader().read();
  expect(new TextDecoder().decode(value).trim()).toBe("held");
  expect(tryLock(path)).toBeUndefined();
  other.kill("SIGKILL");
  await other.exited;
  const again = await waitUntil(
    () => {
      const lock = tryLock(path);
      return { ok: lock !== undefined, seen: "still locked", ...(lock ? { value: lock } : {}) };
    },
    { what: "the lock of a killed program", deadlineMs: 5000, intervalMs: 20 },
  );
  again?.release();
});

test("shared ones stand together, and keep out the one that is not", () => {
  const path = join(folder, "shared");
  const [a, b] = [tryLock(path, { shared: true }), tryLock(path, { shared: true })];
  expect([a === undefined, b === undefined]).toEqual([false, false]);
  expect(tryLock(path)).toBeUndefined();
  a?.release();
  expect(tryLock(path)).toBeUndefined();
  b?.release();
  const alone = tryLock(path);
  expect(alone).toBeDefined();
  expect(tryLock(path, { shared: true })).toBeUndefined();
  alone?.release();
  alone?.release();
});
