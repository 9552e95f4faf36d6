import { afterAll, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { createPrng } from "../base/prng.ts";
import { ABANDONED_MS, replaceFolder, settleFolders } from "./replace-folder.ts";

const root = mkdtempSync(join(tmpdir(), "replace-folder-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const filesOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]),
  );

test("a folder is replaced whole, and nothing stands beside it", () => {
  const parent = join(root, "whole");
  replaceFolder(join(parent, "1"), { "manifest.json": "{}", "old.txt": "old" });
  replaceFolder(join(parent, "1"), { "manifest.json": "{}", "new.txt": "new" });
  expect(readdirSync(parent)).toEqual(["1"]);
  expect(filesOf(join(parent, "1"))).toEqual({ "manifest.json": "{}", "new.txt": "new" });
});

test.each([
  ["while it wrote", ["1"], ["1.7.new.partial:run.log"], { from: "1" }],
  ["before the first had its name", [], ["1.7.new.partial:manifest.json"], { from: "1.7.new" }],
  ["while it wrote the first", [], ["1.7.new.partial:run.log"], undefined],
  [
    "between the two renames",
    [],
    ["1.7.new.partial:manifest.json", "1.7.old.partial:manifest.json"],
    { from: "1.7.new" },
  ],
  ["before it removed the old one", ["1"], ["1.7.old.partial:manifest.json"], { from: "1" }],
] as const)("a writer that was killed %s leaves one whole folder", (_, whole, partial, left) => {
  const runs = mkdtempSync(join(root, "killed-"));
  const parent = join(runs, "baseline", "sensor-down");
  for (const place of [...whole.map((name) => `${name}:manifest.json`), ...partial]) {
    const [name = "", file = ""] = place.split(":");
    mkdirSync(join(parent, name), { recursive: true });
    const from = name.replace(".partial", "");
    writeFileSync(join(parent, name, file), JSON.stringify({ from }));
  }
  // Another shard may be writing it right now.
  settleFolders(runs, ABANDONED_MS);
  expect(readdirSync(parent)).toHaveLength(whole.length + partial.length);
  settleFolders(runs, 0);
  expect(readdirSync(parent)).toEqual(left === undefined ? [] : ["1"]);
  if (left !== undefined) {
    expect(JSON.parse(filesOf(join(parent, "1"))["manifest.json"] ?? "")).toEqual(left);
  }
});

test("what was left long ago is removed by the next writer of the same folder", () => {
  const parent = mkdtempSync(join(root, "abandoned-"));
  for (const name of ["1.7.new.partial", "1.8.old.partial", "2.7.new.partial"]) {
    mkdirSync(join(parent, name));
    const seconds = systemClock.nowMs() / 1000 - 120;
    utimesSync(join(parent, name), seconds, seconds);
  }
  mkdirSync(join(parent, "1.9.new.partial"));
  replaceFolder(join(parent, "1"), { "manifest.json": "{}" });
  expect(readdirSync(parent).toSorted()).toEqual(["1", "1.9.new.partial", "2.7.new.partial"]);
});

test("kill -9 at any moment leaves the old run or the new one, whole", async () => {
  const prng = createPrng(7);
  const runs = mkdtempSync(join(root, "kill-"));
  const folder = join(runs, "1");
  let before = 0;
  for (let round = 0; round < 15; round++) {
    const program = join(import.meta.dir, "testing/write-runs.ts");
    const child = Bun.spawn([process.execPath, program, folder], { stdout: "pipe" });
    await child.stdout.getReader().read();
    await systemClock.sleep(prng.next() * 40);
    child.kill("SIGKILL");
    await child.exited;
    settleFolders(runs, 0);
    expect(readdirSync(runs)).toEqual(["1"]);
    const numbers = Object.values(filesOf(folder)).map((text) => JSON.parse(text) as unknown);
    expect(numbers).toHaveLength(3);
    const number = (numbers[0] as { number: number }).number;
    expect(numbers).toEqual([{ number }, { number }, { number }]);
    expect(number).toBeGreaterThan(0);
    before = number;
  }
  expect(before).toBeGreaterThan(0);
  expect(existsSync(folder)).toBe(true);
}, 60_000);
