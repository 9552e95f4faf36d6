/** Adds a scenario to a copy of the project: a folder, and no other change. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { run } from "../lib/base/shell.ts";

const NAME = "slow-camera";
const ROOT = join(import.meta.dir, "..");
const TEST_TIMEOUT_MS = 120_000;
/** The files that scenarios need, without services and binding. */
const PARTS =
  /^(runner\.ts|package\.json|bun\.lock|bunfig\.toml|tsconfig\.json|lib|scenarios|observability)/;

let copy = "";

/** Runs Bun in the copy; returns its output and exit code. */
const bun = async (...argv: string[]): Promise<{ text: string; code: number }> => {
  const { stdout, stderr, code } = await run([process.execPath, ...argv], {
    cwd: copy,
    timeoutMs: TEST_TIMEOUT_MS,
  });
  return { text: stdout + stderr, code };
};

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), "project-"));
  const listed = await run(["git", "ls-files", "-co", "--exclude-standard"], { cwd: ROOT });
  for (const path of listed.stdout.split("\n").filter((line) => PARTS.test(line))) {
    if (!(await Bun.file(join(ROOT, path)).exists())) continue;
    await mkdir(dirname(join(copy, path)), { recursive: true });
    await cp(join(ROOT, path), join(copy, path));
  }
  await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"));
  const folder = join(copy, "scenarios", NAME);
  await cp(join(import.meta.dir, "testing", NAME), folder, { recursive: true });
  for (const file of ["scenario.ts", "truth.ts"]) {
    // The copy is one folder nearer to the root than the fixture.
    const text = await Bun.file(join(folder, file)).text();
    await Bun.write(join(folder, file), text.replaceAll('"../../', '"../'));
  }
}, TEST_TIMEOUT_MS);
afterAll(() => rm(copy, { recursive: true, force: true }));

test(
  "the command line knows it",
  async () => {
    const unknown = await bun("runner.ts", "no-such-scenario");
    expect(unknown.code).toBe(1);
    expect(unknown.text).toContain(NAME);
    // The labs are chosen after the scenario was loaded and checked, so this error proves the
    // loading.
    const known = await bun("runner.ts", NAME, "--lab", "9", "--parallel", "2");
    expect(known).toMatchObject({
      code: 1,
      text: expect.stringContaining("Cannot run 2 labs from 9"),
    });
  },
  TEST_TIMEOUT_MS,
);

test("its rubric is printed as its expected_rca.md has it", async () => {
  const printed = await bun("scenarios/rubric.ts", NAME);
  expect(printed.code).toBe(0);
  expect(printed.text).toContain("`correct_configuration` on `eo-sensor`");
});

test(
  "the tests of all scenarios take it in",
  async () => {
    const tests = [
      "scenarios/scenarios.test.ts",
      "lib/run/rubrics.test.ts",
      "lib/run/leaks.test.ts",
    ];
    const tested = await bun("test", ...tests);
    expect(tested).toMatchObject({
      code: 0,
      text: expect.stringContaining(`${NAME}: earns what is`),
    });
  },
  TEST_TIMEOUT_MS,
);
