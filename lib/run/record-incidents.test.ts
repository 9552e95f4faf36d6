import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../base/errors.ts";
import { recordIncidents } from "./record-incidents.ts";
import { withFolderLocked } from "./runs-folder.ts";
import { brokenLabs } from "./testing/broken-labs.ts";

const folder = mkdtempSync(join(tmpdir(), "record-incidents-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const record = (
  context: Parameters<typeof recordIncidents>[0],
  shard?: { index: number; of: number },
) =>
  recordIncidents(context, {
    scenario: "sensor-down",
    all: false,
    labs: { engine: "native", count: 1 },
    repeat: 1,
    shard,
    seed: 1,
    folder,
    later: false,
  });

test("of two programs that record into one folder, the second is told so and starts no lab", async () => {
  const { context, tries } = brokenLabs();
  await withFolderLocked(folder, "--into", undefined, async () => {
    const second = record(context);
    await expect(second).rejects.toThrow(UsageError);
    await expect(second).rejects.toThrow(
      "another program does already; wait for its end, choose another folder with --into",
    );
    expect(tries).toEqual([]);
  });
  const [line] = await record(context);
  expect(line).toMatchObject({ outcome: { kind: "environment-invalid" }, bundle: null });
  expect(tries).toEqual([0, 0]);
  expect(readdirSync(folder).filter((name) => !name.startsWith(".lock"))).toEqual([]);
});
