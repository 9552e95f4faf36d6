/** The default timeout that bunfig.toml sets for every test file. */
import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./shell.ts";

test("every file of a run gets a default timeout that is longer than Bun's five seconds", async () => {
  const folder = await mkdtemp(join(tmpdir(), "timeouts-"));
  try {
    const preload = `${import.meta.dir}/testing/default-timeout.ts`;
    await Bun.write(`${folder}/bunfig.toml`, `[test]\npreload = [${JSON.stringify(preload)}]\n`);
    const slow = `import { test } from "bun:test";\ntest("slow", () => new Promise((done) => setTimeout(done, 5200)));\n`;
    for (const name of ["a", "b"]) await Bun.write(`${folder}/${name}.test.ts`, slow);
    const { stderr, code } = await run([process.execPath, "test"], { cwd: folder });
    expect(stderr).toContain(" 2 pass\n");
    expect(code).toBe(0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
