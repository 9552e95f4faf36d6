/**
 * Tests the command line with real labs: inject and heal by hand, and a runner that is killed
 * during a fault.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../base/shell.ts";
import { waitUntil } from "../base/wait.ts";
import type { LabStatus } from "../run/labs.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const BY_HAND_LAB = 5;
const RUN_LAB = 8;
const DEADLINE_MS = 3 * 60_000;

async function runner(lab: number, ...argv: string[]): Promise<{ code: number; text: string }> {
  const command = [process.execPath, "runner.ts", ...argv, "--lab", String(lab)];
  const { code, stdout, stderr } = await run(command, { cwd: ROOT, timeoutMs: DEADLINE_MS });
  return { code, text: stdout + stderr };
}

async function changed(lab: number): Promise<LabStatus["services"]> {
  const command = [process.execPath, "runner.ts", "ps", "--json", "--lab", String(lab)];
  const { stdout } = await run(command, { cwd: ROOT, timeoutMs: DEADLINE_MS });
  const status = JSON.parse(stdout) as LabStatus | null;
  if (status === null) throw new Error(`lab ${lab} is not up`);
  return status.services.filter(({ canonical }) => !canonical);
}

/** Starts a runner, and kills it after its output contains `words`. */
function doomed(...argv: string[]) {
  const child = Bun.spawn([process.execPath, "runner.ts", ...argv], {
    cwd: ROOT,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  let text = "";
  void (async () => {
    for await (const part of child.stderr) text += new TextDecoder().decode(part);
  })();
  return {
    child,
    killAfter: async (words: string): Promise<void> => {
      await waitUntil(
        () => ({ ok: text.includes(words), seen: text.split("\n").at(-2) ?? "nothing" }),
        { what: `"${words}"`, deadlineMs: DEADLINE_MS },
      );
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

describe("by hand, and after a runner's death", () => {
  let results = "";
  let run8: ReturnType<typeof doomed>;

  beforeAll(async () => {
    results = await mkdtemp(join(tmpdir(), "by-hand-"));
    // Its baseline takes almost a minute; the other tests run meanwhile.
    run8 = doomed("sensor-down", "--lab", String(RUN_LAB), "--results", results);
    expect(await runner(BY_HAND_LAB, "up")).toMatchObject({ code: 0 });
  });

  afterAll(async () => {
    run8.child.kill("SIGKILL");
    for (const lab of [BY_HAND_LAB, RUN_LAB]) await runner(lab, "down");
    await rm(results, { recursive: true, force: true });
  });

  test("inject breaks the running lab, and every up heals it", async () => {
    const injected = await runner(BY_HAND_LAB, "inject", "network-partition");
    expect(injected).toMatchObject({ code: 0, text: expect.stringContaining("cleanup") });
    expect(await changed(BY_HAND_LAB)).toMatchObject([
      { service: "esm-sensor", state: "running", network: "detached" },
    ]);
    const up = await runner(BY_HAND_LAB, "up");
    expect(up).toMatchObject({ code: 0, text: expect.stringContaining("esm-sensor canonical") });
    expect(await changed(BY_HAND_LAB)).toEqual([]);
  });

  test("a runner that is killed while it injects is healed by cleanup", async () => {
    const injecting = doomed("inject", "decoy", "--lab", String(BY_HAND_LAB));
    await injecting.killAfter("esm-sensor stopped until");
    expect(await changed(BY_HAND_LAB)).toMatchObject([{ service: "esm-sensor", state: "exited" }]);
    const cleaned = await runner(BY_HAND_LAB, "cleanup");
    expect(cleaned).toMatchObject({ code: 0, text: expect.stringContaining("is canonical") });
    expect(await changed(BY_HAND_LAB)).toEqual([]);
  });

  test("a run's own lab is left alone while it goes on, and gone when the runner is killed in mid-fault", async () => {
    for (const argv of [["up"], ["inject", "decoy"], ["cleanup"], ["sensor-down"], ["verify"]]) {
      const refused = await runner(RUN_LAB, ...argv);
      expect(refused).toMatchObject({ code: 1, text: expect.stringContaining("another run") });
    }
    await run8.killAfter("radar-sensor ended with exit code 0");
    const cleaned = await runner(RUN_LAB, "cleanup");
    expect(cleaned).toMatchObject({ code: 0, text: expect.stringContaining("nothing is left") });
    expect(await runner(RUN_LAB, "ps")).toMatchObject({ code: 0, text: "the lab is not up\n" });
    const absent = await runner(RUN_LAB, "inject", "decoy");
    expect(absent).toMatchObject({ code: 1, text: expect.stringContaining("is not up") });
  });
});
