/**
 * The example of a Kubernetes job, its shards run as processes: one is killed, and its successor
 * goes on.
 */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processEnv } from "../base/env.ts";
import { waitUntil } from "../base/wait.ts";
import type { Manifest } from "../score/run-record.ts";
import { readManifests } from "./artefacts.ts";
import { bundlesIn } from "./recorded-incident.ts";
import { runsFolder } from "./runs-folder.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const INCIDENTS = join(ROOT, "results/incidents");
const JOB = Bun.YAML.parse(await Bun.file(join(ROOT, ".ci/examples/examine-job.yaml")).text()) as {
  spec: {
    completions: number;
    template: { spec: { containers: { command: string[]; args: string[] }[] } };
  };
};

const temporary = mkdtempSync(join(tmpdir(), "examine-job-"));
afterAll(() => rmSync(temporary, { recursive: true }));

/**
 * Starts the container's command for one index, with an investigator that needs no time of its own.
 */
function startShard(index: number, results: string) {
  const [container] = JOB.spec.template.spec.containers;
  const [script = ""] = container?.args ?? [];
  const here = script
    .replace("bun runner.ts", `${process.execPath} runner.ts`)
    .replace("examine /incidents", `examine ${INCIDENTS}`)
    .replace("--results /results", `--results ${results}`)
    .replace("--investigator baseline", "--investigator lookup");
  return Bun.spawn([...(container?.command ?? []), here], {
    cwd: ROOT,
    env: { PATH: processEnv()["PATH"], JOB_COMPLETION_INDEX: String(index) },
    stdout: "ignore",
    stderr: "ignore",
  });
}

const manifestsIn = async (results: string): Promise<Manifest[]> =>
  (await readManifests(runsFolder(results))).map(({ manifest }) => manifest);

/** What a table is made of: which incident, and how the answer was scored. */
const scoresIn = async (results: string): Promise<unknown[]> =>
  (await manifestsIn(results))
    .map(({ incident, score }) => ({ incident: incident ?? "", score }))
    .toSorted((a, b) => a.incident.localeCompare(b.incident));

test.skipIf(Bun.which("prometheus") === null)(
  "a killed shard loses one examination at most, and the merge equals one machine's (needs prometheus)",
  async () => {
    const count = bundlesIn([INCIDENTS]).length;
    const shared = join(temporary, "shared");
    const victim = startShard(0, shared);
    await waitUntil(
      async () => {
        const seen = (await manifestsIn(shared)).length;
        return { ok: seen > 0 || victim.exitCode !== null, seen: `${seen} examinations` };
      },
      { what: "the first examination of a shard", deadlineMs: 120_000, intervalMs: 20 },
    );
    victim.kill("SIGKILL");
    await victim.exited;
    const kept = (await manifestsIn(shared)).length;
    expect(kept).toBeGreaterThan(0);
    for (let index = 0; index < JOB.spec.completions; index++) {
      expect(await startShard(index, shared).exited, `shard ${index}`).toBe(0);
    }
    const merged = await scoresIn(shared);
    expect(merged).toHaveLength(count);
    // Nothing that the killed shard had kept was examined again.
    const runs = readdirSync(shared, { recursive: true, encoding: "utf8" });
    expect(runs.filter((path) => path.endsWith("manifest.json"))).toHaveLength(count);

    const single = join(temporary, "single");
    const alone = Bun.spawn(
      [
        process.execPath,
        "runner.ts",
        "examine",
        INCIDENTS,
        "--investigator",
        "lookup",
        "--results",
        single,
      ],
      { cwd: ROOT, stdout: "ignore", stderr: "ignore" },
    );
    expect(await alone.exited).toBe(0);
    expect(merged).toEqual(await scoresIn(single));
  },
  300_000,
);
