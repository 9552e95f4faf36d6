/**
 * Chooses the engine when `--engine` is absent: the native one wherever it can run, else
 * containers. It runs before the set-up, because each engine needs other programs, so it imports
 * only the runtime and what needs no package.
 */
import { engineAnswers, findEngine } from "../base/container-engine.ts";
import { processEnv } from "../base/env.ts";
import { obstacles } from "../sandbox/obstacles.ts";

export const ENGINES = ["native", "docker"] as const;
export type EngineName = (typeof ENGINES)[number];

export interface EngineChoice {
  readonly engine: EngineName;
  /** Why it is not the default engine; undefined if it is, or if it is set on the command line. */
  readonly reason: string | undefined;
  /** What keeps the native engine from this machine. */
  readonly obstacles?: readonly string[];
}

/** Inputs of the choice. */
export interface EngineProbes {
  readonly platform: string;
  /** What keeps a lab in namespaces from a Linux machine. */
  readonly obstacles: () => readonly string[];
  /** Whether a container engine answers. */
  readonly engineAnswers: () => Promise<boolean>;
}

const thisMachine: EngineProbes = {
  platform: process.platform,
  obstacles,
  engineAnswers: async () => engineAnswers(findEngine(processEnv())),
};

/** Reads `--engine` from the arguments, or else examines the machine. */
export async function chooseEngine(
  argv: readonly string[],
  probes: EngineProbes = thisMachine,
): Promise<EngineChoice> {
  const written = writtenEngine(argv);
  if (written === "docker") return { engine: "docker", reason: undefined };
  const found =
    probes.platform === "linux"
      ? probes.obstacles()
      : [`the native engine needs Linux, and this is ${probes.platform}`];
  const native = { engine: "native", reason: undefined, obstacles: found } as const;
  if (written === "native" || found.length === 0) return native;
  // Elsewhere than on Linux there is no other, so its own message says what is missing.
  if (probes.platform !== "linux" || (await probes.engineAnswers())) {
    return { engine: "docker", reason: found.join("; "), obstacles: found };
  }
  return native;
}

/**
 * The value of `--engine`, validated later by the parser; the last occurrence counts, as in the
 * parser.
 */
function writtenEngine(argv: readonly string[]): EngineName | undefined {
  const values = argv.flatMap((argument, at) => {
    if (argument === "--engine") return [argv[at + 1]];
    return argument.startsWith("--engine=") ? [argument.slice("--engine=".length)] : [];
  });
  return ENGINES.find((name) => name === values.at(-1));
}
