/** Adds a scenario to a copy of the project with a single new folder. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { copyProject, type ProjectCopy } from "../lib/base/testing/copy-project.ts";

const NAME = "slow-camera";

let project: ProjectCopy;

beforeAll(async () => {
  // Services and the binding are not used in a scenario's life cycle.
  project = await copyProject(["lib", "scenarios", "observability"]);
  const folder = join(project.folder, "scenarios", NAME);
  await cp(join(import.meta.dir, "testing", NAME), folder, { recursive: true });
  for (const file of ["scenario.ts", "truth.ts"]) {
    // The copy is one level closer to the root than the fixture.
    const text = await Bun.file(join(folder, file)).text();
    await Bun.write(join(folder, file), text.replaceAll('"../../', '"../'));
  }
});
afterAll(() => project.remove());

test("the command line knows it", async () => {
  const unknown = await project.bun("runner.ts", "no-such-scenario");
  expect(unknown.code).toBe(1);
  expect(unknown.text).toContain(NAME);
  // Labs are chosen after the scenario was loaded and checked, so this error shows that it was
  // loaded.
  const known = await project.bun("runner.ts", NAME, "--lab", "9", "--parallel", "2");
  expect(known).toMatchObject({
    code: 1,
    text: expect.stringContaining("Cannot run 2 labs from 9"),
  });
});

test("its rubric is printed as its expected_rca.md has it", async () => {
  const printed = await project.bun("scenarios/rubric.ts", NAME);
  expect(printed.code).toBe(0);
  expect(printed.text).toContain("`correct_configuration` on `eo-sensor`");
});

test("the tests of all scenarios take it in", async () => {
  const tests = ["scenarios/scenarios.test.ts", "lib/run/rubrics.test.ts", "lib/run/leaks.test.ts"];
  const tested = await project.bun("test", ...tests);
  expect(tested).toMatchObject({
    code: 0,
    text: expect.stringContaining(`${NAME}: earns what is`),
  });
});
