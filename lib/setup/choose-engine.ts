/**
 * Chooses the engine if `--engine` is absent: native if possible, else containers. Runs before the
 * set-up, because the engines need different programs, so it imports only the runtime.
 */
import { engineAnswers, findEngine } from "../base/container-engine.ts";
import { processEnv } from "../base/env.ts";

export const ENGINES = ["native", "docker"] as const;
export type EngineName = (typeof ENGINES)[number];

export interface EngineChoice {
  readonly engine: EngineName;
  /** Why it is not the default engine; undefined if it is, or if it is set on the command line. */
  readonly reason: string | undefined;
}

/** Inputs of the choice. */
export interface EngineProbes {
  readonly platform: string;
  readonly uid: number;
  /**
   * Whether this user may create namespaces; also true if the tool for it has yet to be installed.
   */
  readonly mayMakeNamespaces: () => boolean;
  /** Whether a container engine answers. */
  readonly engineAnswers: () => Promise<boolean>;
}

const thisMachine: EngineProbes = {
  platform: process.platform,
  uid: process.getuid?.() ?? -1,
  mayMakeNamespaces: () =>
    Bun.which("unshare") === null ||
    Bun.spawnSync(["unshare", "--net", "--pid", "--fork", "--mount", "true"]).exitCode === 0,
  engineAnswers: async () => engineAnswers(findEngine(processEnv())),
};

/** Reads `--engine` from the arguments, or else examines the machine. */
export async function chooseEngine(
  argv: readonly string[],
  probes: EngineProbes = thisMachine,
): Promise<EngineChoice> {
  const written = writtenEngine(argv);
  if (written !== undefined) return { engine: written, reason: undefined };
  const obstacle = whyNotNative(probes);
  if (obstacle === undefined) return { engine: "native", reason: undefined };
  // Off Linux there is no other engine, so its own message states what is missing.
  if (probes.platform !== "linux" || (await probes.engineAnswers())) {
    return { engine: "docker", reason: obstacle };
  }
  return { engine: "native", reason: undefined };
}

function whyNotNative({ platform, uid, mayMakeNamespaces }: EngineProbes): string | undefined {
  if (platform !== "linux") return `the native engine needs Linux, and this is ${platform}`;
  if (uid !== 0) return `the native engine needs root, and this is uid ${uid}`;
  if (!mayMakeNamespaces()) return "the native engine needs namespaces, and may not make any here";
  return undefined;
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
