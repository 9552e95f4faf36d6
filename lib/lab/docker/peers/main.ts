/**
 * Every check of the container lab on a real engine: `bun run test:docker [step …]`. All steps take
 * an hour; each can run alone. Needs Docker with Compose v2, the ports of labs 0 and 1, and the
 * images of the compose file.
 */
import { messageOf, UsageError } from "../../../base/errors.ts";
import { processEnv } from "../../../base/env.ts";
import { findImages } from "./images.ts";

const ROOT = new URL("../../../..", import.meta.url).pathname.replace(/\/$/, "");
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const suite = (file: string): string[] => [
  process.execPath,
  "test",
  `./lib/lab/docker/peers/${file}`,
];
const runner = (...args: string[]): string[] => [process.execPath, "runner.ts", ...args];

/** Each step: its name, what it checks, and its program. */
const STEPS: Readonly<Record<string, readonly [what: string, argv: readonly string[]]>> = {
  configuration: ["every part reads its own configuration", suite("configuration.suite.ts")],
  lab: ["the suite of every lab", suite("lab.suite.ts")],
  signals: ["every declared signal arrives", suite("signals.suite.ts")],
  surface: ["investigators read the same on both engines", suite("surface.suite.ts")],
  recording: ["a recorded incident has the form of a native one", suite("recording.suite.ts")],
  "bad-input": ["what a machine lacks is said in one line", suite("bad-input.suite.ts")],
  figures: [
    "start, memory, processor, image",
    [process.execPath, "lib/lab/docker/peers/figures.ts"],
  ],
  verify: [
    "every scenario breaks the system as it says, and nothing else",
    runner("verify", "--engine", "docker", "--parallel", "2"),
  ],
  all: [
    "every scenario and control, with the baseline",
    runner(
      "--all",
      "--engine",
      "docker",
      "--investigator",
      "baseline",
      "--parallel",
      "2",
      "--results",
      "results/docker",
      "--again",
    ),
  ],
};

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.find((name) => !Object.hasOwn(STEPS, name));
  if (unknown !== undefined) {
    throw new UsageError(
      `Cannot run the step ${unknown}: it must be one of ${Object.keys(STEPS).join(", ")}`,
    );
  }
  const { composeFile, lines } = await findImages(ROOT);
  for (const line of lines) say(line);
  const env = {
    ...processEnv(),
    ...(composeFile === undefined ? {} : { COMPOSE_FILE: composeFile }),
  };
  const failed: string[] = [];
  for (const [name, [what, argv]] of Object.entries(STEPS)) {
    if (names.length > 0 && !names.includes(name)) continue;
    say(`== ${name}: ${what}`);
    const started = performance.now();
    const child = Bun.spawn([...argv], { cwd: ROOT, env, stdio: ["ignore", "inherit", "inherit"] });
    const code = await child.exited;
    if (code !== 0) failed.push(name);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    say(
      `== ${name}: ${code === 0 ? "passed" : `failed with exit code ${code}`} after ${seconds} s`,
    );
  }
  for (const line of lines) say(line);
  say(failed.length === 0 ? "all steps passed" : `failed: ${failed.join(", ")}`);
  return failed.length === 0 ? 0 : 1;
}

try {
  process.exit(await main(Bun.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(2);
}
