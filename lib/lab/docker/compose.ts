/** Runs Compose for what the Engine API cannot do: read the compose file and start it. */
import type { EngineEndpoint } from "../../base/container-engine.ts";
import { processEnv } from "../../base/env.ts";
import { EnvironmentError } from "../../base/errors.ts";
import type { Lifetime } from "../lab.ts";
import { projectName, published } from "./layout.ts";

export interface ComposeOptions {
  readonly engine: EngineEndpoint;
  readonly projectDir: string;
  readonly index: number;
  readonly lifetime: Lifetime;
  readonly ownerToken: string;
  readonly fleetSeed?: number | undefined;
  /** The program that provides Compose; replaced in tests. */
  readonly docker?: string | undefined;
  readonly signal?: AbortSignal;
  readonly onProgress: (line: string) => void;
}

/**
 * Builds the image if it is out of date and starts all containers. Throws EnvironmentError with the
 * reason.
 */
export async function composeUp(options: ComposeOptions): Promise<void> {
  const { docker = "docker" } = options;
  if (Bun.which(docker) === null) {
    throw new EnvironmentError(
      "Cannot start the lab in containers: docker must be on PATH, with Compose v2; see https://docs.docker.com/compose/install",
    );
  }
  const { projectDir, signal, onProgress } = options;
  const child = Bun.spawn([docker, ...composeArguments(options)], {
    cwd: projectDir,
    env: composeEnv(options),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    ...(signal === undefined ? {} : { signal }),
  });
  const lines: string[] = [];
  const take = (line: string): void => {
    lines.push(line);
    const step = stepIn(line);
    if (step !== undefined) onProgress(step);
  };
  await Promise.all([eachLine(child.stdout, take), eachLine(child.stderr, take)]);
  const code = await child.exited;
  signal?.throwIfAborted();
  if (code !== 0) throw new EnvironmentError(`Cannot start the lab in containers: ${why(lines)}`);
}

/** Passes no file names, so that Compose reads the default file or those in COMPOSE_FILE. */
function composeArguments({ projectDir, index }: ComposeOptions): string[] {
  return [
    "compose",
    "--progress=plain",
    "--project-directory",
    projectDir,
    "--project-name",
    projectName(index),
    "up",
    "--detach",
    "--remove-orphans",
  ];
}

/** The variables of the compose file for this lab, in addition to the user's environment. */
export function composeEnv(options: Omit<ComposeOptions, "onProgress">): Record<string, string> {
  const { engine, index, lifetime, ownerToken, fleetSeed } = options;
  const own = Object.fromEntries(
    Object.entries(processEnv()).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
  return {
    ...own,
    DOCKER_HOST: engine.host,
    ...(engine.socket === undefined ? {} : { CMS_ENGINE_SOCKET: engine.socket }),
    CMS_LIFETIME: lifetime,
    LAB_OWNER_TOKEN: ownerToken,
    ...(fleetSeed === undefined ? {} : { CMS_SEED: String(fleetSeed) }),
    ...Object.fromEntries(
      published(index).map(({ variable, hostPort }) => [variable, String(hostPort)]),
    ),
  };
}

/** The part of a line of Compose's output to show as progress: build steps, no container events. */
function stepIn(line: string): string | undefined {
  const step = /^#\d+ \[[^\]]*?(\d+\/\d+)\] (.{1,70})/.exec(line);
  return step === null ? undefined : `building the image: ${step[2]}`;
}

/** Known causes of failure, each with the next step. */
const REASONS: readonly (readonly [RegExp, (match: RegExpExecArray) => string])[] = [
  [
    /no space left on device/i,
    () =>
      "the disk must have room for the image, but is full; `docker system df` shows what fills it",
  ],
  [
    /(?:unknown command|is not a docker command|unknown shorthand flag)/i,
    () => "docker must have Compose v2, but has not; see https://docs.docker.com/compose/install",
  ],
  [
    /(?:Bind for|listen tcp[46]?) (\S+?):(\d+)(?::? failed)?.*(?:already allocated|already in use)/i,
    (match) => `port ${match[2]} must be free, but is taken; choose another lab with --lab`,
  ],
  [
    /(?:pull access denied for|failed to resolve reference|manifest for) "?([^\s",]+)/i,
    (match) =>
      `the image ${match[1]} must be here or be pulled, but cannot be; check the network, or pull it by hand`,
  ],
  [
    /Get "https?:\/\/([^/"]+)[^"]*": (.*)/i,
    (match) =>
      `every image must be here or be pulled, but ${match[1]} does not answer (${match[2]?.trim()}); check the network`,
  ],
  [
    /(.*(?:could not find an available|pools have been fully subnetted|network driver|plugin "bridge" not found).*)/i,
    (match) =>
      `the engine must make a network of its own for the lab, but failed: ${match[1]?.trim()}; \`docker network prune\` frees addresses`,
  ],
  [
    /failed to solve: (.*)/i,
    (match) =>
      `the image must build, but: ${match[1]?.trim()}; \`docker compose build\` shows the whole of it`,
  ],
  [
    /((?:yaml|validating|parsing)\b.*)/,
    (match) =>
      `the compose file must be one, but: ${match[1]?.trim()}; \`docker compose config\` checks it`,
  ],
];

/** The cause of Compose's failure in one line. */
export function why(lines: readonly string[]): string {
  for (const [pattern, say] of REASONS) {
    for (const line of lines.toReversed()) {
      const match = pattern.exec(line);
      if (match !== null) return say(match);
    }
  }
  return lines.findLast((line) => line.trim() !== "")?.trim() ?? "Compose wrote no message";
}

async function eachLine(
  stream: ReadableStream<Uint8Array>,
  take: (line: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n/);
    rest = parts.pop() ?? "";
    for (const line of parts) take(line);
  }
  if (rest !== "") take(rest);
}
