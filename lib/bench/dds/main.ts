/**
 * Throughput between two processes on loopback, reliable and KEEP_ALL, SourceTrack with its whole trace context, every
 * field read: this binding against C, whose program is built from the same IDL. Runs in turn, median of three.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processEnv } from "../../base/env.ts";
import { mustRun } from "../../base/shell.ts";

const MESSAGES = 200_000;
const ROUNDS = 3;
const HERE = import.meta.dir;

const CYCLONEDDS_URI = [
  "<CycloneDDS><Domain><General><AllowMulticast>false</AllowMulticast>",
  '<Interfaces><NetworkInterface name="lo" multicast="false"/></Interfaces></General>',
  `<Discovery><Tag>bench-${process.pid}</Tag><ParticipantIndex>auto</ParticipantIndex>`,
  '<Peers><Peer Address="127.0.0.1"/></Peers></Discovery></Domain></CycloneDDS>',
].join("");
const env = { ...processEnv(), CYCLONEDDS_URI };

type Figures = Readonly<Record<string, number>>;

async function buildPeer(folder: string): Promise<string> {
  await mustRun(["idlc", "-t", new URL("../../../ffi/cms.idl", import.meta.url).pathname], {
    cwd: folder,
  });
  const peer = join(folder, "peer");
  const sources = [join(HERE, "peer.c"), join(folder, "cms.c")];
  await mustRun(["gcc", "-O2", "-I", folder, "-o", peer, ...sources, "-lddsc"]);
  return peer;
}

/** Runs a reader and a writer against each other and returns what both printed. */
async function exchange(
  reader: readonly string[],
  writer: readonly string[],
): Promise<{ read: Figures; written: Figures }> {
  const count = String(MESSAGES);
  const [read, written] = await Promise.all([
    mustRun([...reader, count], { env, timeoutMs: 120_000 }),
    mustRun([...writer, count], { env, timeoutMs: 120_000 }),
  ]);
  return { read: JSON.parse(read) as Figures, written: JSON.parse(written) as Figures };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

function print(name: string, value: number, unit: string, reference: number | null): void {
  const ratio = reference === null ? null : value / reference;
  process.stdout.write(`${JSON.stringify({ name, value, unit, reference, ratio })}\n`);
}

const folder = mkdtempSync(join(tmpdir(), "dds-bench-"));
try {
  const c = await buildPeer(folder);
  const js = [process.execPath, join(HERE, "peer.ts")];
  const pairs: Readonly<Record<string, readonly [readonly string[], readonly string[]]>> = {
    "C to C": [
      [c, "read"],
      [c, "write"],
    ],
    "C to view": [
      [...js, "view"],
      [c, "write"],
    ],
    "C to object": [
      [...js, "object"],
      [c, "write"],
    ],
    "write to C": [
      [c, "read"],
      [...js, "write"],
    ],
    "write to view": [
      [...js, "view"],
      [...js, "write"],
    ],
  };
  const rates = new Map<string, number[]>();
  const heap = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, [reader, writer]] of Object.entries(pairs)) {
      const { read, written } = await exchange(reader, writer);
      const seconds = Math.max(read["seconds"] ?? 0, written["seconds"] ?? 0);
      rates.set(name, [...(rates.get(name) ?? []), MESSAGES / seconds]);
      const bytes = read["heap_bytes_per_message"] ?? written["heap_bytes_per_message"];
      if (bytes !== undefined) heap.set(name, [...(heap.get(name) ?? []), bytes]);
    }
  }
  const reference = median(rates.get("C to C") ?? []);
  for (const [name, values] of rates)
    print(`throughput ${name}`, median(values), "msg/s", reference);
  for (const [name, values] of heap) print(`heap growth ${name}`, median(values), "By/msg", null);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
