import { expect, test } from "bun:test";
import { processEnv } from "../../base/env.ts";
import type { Figure } from "../../base/figure.ts";
import { mustRun } from "../../base/shell.ts";

test("writing and visiting a message leave next to nothing on the heap, says the benchmark", async () => {
  const argv = [
    process.execPath,
    `${import.meta.dir}/../../cli/bench.ts`,
    "dds",
    "--only",
    "allocation",
  ];
  const said = await mustRun(argv, { env: processEnv(), timeoutMs: 180_000 });
  const figures = said
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Figure);
  for (const figure of figures) {
    expect(Object.keys(figure)).toEqual(["name", "value", "unit", "reference", "ratio"]);
  }
  const bytes = Object.fromEntries(figures.map(({ name, value }) => [name, value]));
  expect(bytes["heap: write_bytes"]).toBeLessThan(8);
  expect(bytes["heap: view_bytes"]).toBeLessThan(32);
  expect(bytes["heap: object_bytes"]).toBeGreaterThan(100);
  // The same through the bus; the larger figure of a copy shows that the measurement works.
  expect(bytes["heap: bus_view_bytes"]).toBeLessThan(100);
  expect(bytes["heap: bus_copy_bytes"]).toBeGreaterThan(100);
});
