/** Shared by the parts of the benchmark: the C peer, pairs of processes, and figures. */
import { join } from "node:path";
import { processEnv } from "../../base/env.ts";
import { EnvironmentError } from "../../base/errors.ts";
import { median, printFigure } from "../../base/figure.ts";
import { mustRun } from "../../base/shell.ts";

const HERE = import.meta.dir;
const LONGEST_MS = 600_000;

/**
 * Cyclone's configuration: loopback only, a discovery tag for this run, and on both sides Cyclone's
 * default number of receive threads in place of the binding's single one. `internal` is more XML.
 */
function cycloneConfig(internal: string): string {
  return [
    "<CycloneDDS><Domain><General><AllowMulticast>false</AllowMulticast>",
    '<Interfaces><NetworkInterface name="lo" multicast="false"/></Interfaces></General>',
    `<Discovery><Tag>bench-${process.pid}</Tag><ParticipantIndex>auto</ParticipantIndex>`,
    `<Peers><Peer Address="127.0.0.1"/></Peers></Discovery><Internal>${internal}`,
    "<MultipleReceiveThreads>default</MultipleReceiveThreads></Internal></Domain></CycloneDDS>",
  ].join("");
}

/**
 * Variables that make writers collect samples into larger packets. Writers wait at 4 MB of
 * unacknowledged data and continue at 1 MB. With the default 500 kB, writers of SourceTrack wait
 * for a quarter of the time; with the default 1 kB, they continue only after readers have run out
 * of samples.
 */
export const BATCHED = {
  CYCLONEDDS_URI: cycloneConfig(
    "<WriteBatch>true</WriteBatch><Watermarks><WhcLow>1MB</WhcLow><WhcHighInit>2MB</WhcHighInit>" +
      "<WhcHigh>4MB</WhcHigh></Watermarks>",
  ),
} as const;

/** The environment of a peer process. */
export const peerEnv = (more: Readonly<Record<string, string>> = {}) => ({
  ...processEnv(),
  CYCLONEDDS_URI: cycloneConfig(""),
  ...more,
});

/** The command lines of the two sides. */
export interface Peers {
  readonly c: readonly string[];
  readonly js: readonly string[];
}

/** Programs that the benchmark runs, and their Debian packages. */
const PROGRAMS = { idlc: "cyclonedds-tools", gcc: "gcc", ddsperf: "cyclonedds-tools" } as const;

/** Throws EnvironmentError with the remedy when a program is missing on `path`. */
function requirePrograms(path: string): void {
  const missing = Object.entries(PROGRAMS).filter(
    ([name]) => Bun.which(name, { PATH: path }) === null,
  );
  if (missing.length === 0) return;
  const names = missing.map(([name]) => name).join(", ");
  const packages = [...new Set(missing.map(([, name]) => name)), "cyclonedds-dev"].join(" ");
  throw new EnvironmentError(
    `Cannot build the C peer: ${names} must be on the PATH, but cannot be found. ` +
      `Install it with \`bun lib/setup/main.ts --for-tests\` or \`apt-get install ${packages}\``,
  );
}

/** Builds the C peer in `folder`. Throws EnvironmentError when the tools for it are missing. */
export async function buildPeers(folder: string): Promise<Peers> {
  requirePrograms(processEnv()["PATH"] ?? "");
  const idl = [new URL("../../../ffi/cms.idl", import.meta.url).pathname, join(HERE, "bench.idl")];
  for (const file of idl) await mustRun(["idlc", "-t", file], { cwd: folder });
  const peer = join(folder, "peer");
  const sources = [join(HERE, "peer.c"), join(folder, "cms.c"), join(folder, "bench.c")];
  await mustRun(["gcc", "-O2", "-I", folder, "-o", peer, ...sources, "-lddsc"]);
  return { c: [peer], js: [process.execPath, join(HERE, "peer.ts")] };
}

/** Names and numbers that a process printed. */
export type Figures = Readonly<Record<string, number>>;

/** Runs a reader and a writer at the same time and returns what both printed. */
export async function exchange(
  reader: readonly string[],
  writer: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ read: Figures; written: Figures }> {
  const options = { env: peerEnv(env), timeoutMs: LONGEST_MS };
  const [read, written] = await Promise.all([mustRun(reader, options), mustRun(writer, options)]);
  return { read: JSON.parse(read) as Figures, written: JSON.parse(written) as Figures };
}

/** Messages per second of an exchange of `count` messages, by the slower side. */
export const rateOf = (count: number, sides: { read: Figures; written: Figures }): number =>
  count / Math.max(sides.read["seconds"] ?? 0, sides.written["seconds"] ?? 0);

/** Measures each of `names` in turn, `rounds` times; returns one result for each round by name. */
export async function series<N extends string, T>(
  rounds: number,
  names: readonly N[],
  measure: (name: N) => Promise<T>,
): Promise<Record<N, T[]>> {
  const found = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<N, T[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) found[name].push(await measure(name));
  }
  return found;
}

/**
 * Prints the median of a series, and the median of its rounds' ratios to the reference. Slow phases
 * of the machine affect both sides of a round, so the ratios vary less than the figures.
 */
export function printSeries(
  name: string,
  values: readonly number[],
  unit: string,
  references: readonly number[],
): void {
  const ratio = median(values.map((value, round) => value / (references[round] ?? Number.NaN)));
  printFigure(name, median(values), unit, median(references), ratio);
}

/** Prints the rounds with the lowest and the highest ratio to the reference of the same round. */
export function printSpread(
  name: string,
  values: readonly number[],
  unit: string,
  references: readonly number[],
): void {
  const rounds = values
    .map((value, round) => ({ value, reference: references[round] ?? Number.NaN }))
    .toSorted((a, b) => a.value / a.reference - b.value / b.reference);
  for (const [which, found] of [
    ["lowest", rounds[0]],
    ["highest", rounds.at(-1)],
  ] as const) {
    if (found !== undefined) {
      printFigure(`${name}, round of the ${which} ratio`, found.value, unit, found.reference);
    }
  }
}
