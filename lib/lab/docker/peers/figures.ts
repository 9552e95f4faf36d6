/**
 * Measures the start and stop times of the containers and their resource use: `bun
 * lib/lab/docker/peers/figures.ts`.
 */
import { systemClock } from "../../../base/clock.ts";
import { mustRun } from "../../../base/shell.ts";
import { DockerLab } from "../docker-lab.ts";
import { BUILDER } from "../layout.ts";
import { readComposeFile } from "../testing/compose-file.ts";
import { LAB_INDEX } from "./lab-index.ts";

const ROOT = new URL("../../../..", import.meta.url).pathname.replace(/\/$/, "");
/** Time for the stack to settle, and then for which its CPU time is measured. */
const MEASURE_MS = 60_000;
const MIB = 2 ** 20;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const seconds = (fromMs: number): string => ((performance.now() - fromMs) / 1000).toFixed(1);

await using lab = new DockerLab({ index: LAB_INDEX, lifetime: "with-caller", projectDir: ROOT });
let startedMs = performance.now();
await lab.up();
say(`up to three tracks: ${seconds(startedMs)} s`);
await systemClock.sleep(MEASURE_MS);
const before = await lab.usage();
startedMs = performance.now();
await systemClock.sleep(MEASURE_MS);
const after = await lab.usage();
const elapsed = (performance.now() - startedMs) / 1000;
for (const { name, cpuSeconds, memoryBytes } of after.containers) {
  const earlier = before.containers.find((one) => one.name === name)?.cpuSeconds ?? 0;
  const share = ((cpuSeconds - earlier) / elapsed).toFixed(3);
  say(`${name.padEnd(18)} ${share} processors, ${(memoryBytes / MIB).toFixed(0)} MiB`);
}
const share = ((after.cpuSeconds - before.cpuSeconds) / elapsed).toFixed(2);
say(`all containers: ${share} processors, ${(after.memoryBytes / MIB).toFixed(0)} MiB`);
const { services } = readComposeFile(`${ROOT}/docker-compose.yml`);
const image = services[BUILDER]?.image ?? "";
const size = await mustRun(["docker", "image", "inspect", "--format", "{{.Size}}", image]);
say(`image: ${(Number(size) / 1e6).toFixed(0)} MB`);
startedMs = performance.now();
await lab.down();
say(`down: ${seconds(startedMs)} s`);
