/**
 * Compares the binding with C, process to process on loopback, reliable and KEEP_ALL: the C peer is
 * built from the same IDL. Both run in turn; figures are medians. `--only <part>` runs one part;
 * README.md describes what each measures.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runMain, UsageError } from "../../base/errors.ts";
import { printFigure } from "../../base/figure.ts";
import { mustRun, run } from "../../base/shell.ts";
import {
  buildPeers,
  exchange,
  type Figures,
  peerEnv,
  type Peers,
  printSeries,
  printSpread,
  rateOf,
  series,
  BATCHED,
} from "./harness.ts";
import { profile } from "./profile.ts";

/** Enough messages that the compilation of JavaScript, 0.1 s at the start, does not matter. */
const MESSAGES = 1_000_000;
/** As many messages as ddsperf sends in a few seconds. */
const BATCHED_MESSAGES = 2_000_000;
const ROUNDS = 5;
const GROWING_ROUNDS = 3;
/** Six seconds; the peers ignore the first three. */
const PULSES = 3600;
const STEADY_MESSAGES = 36_000;
const SOAK_MESSAGES = 10_000_000;
const GROWING_MESSAGES = 250_000;
/** Serialized size of the benchmark's SourceTrack without its header, bytes. */
const TRACK_BYTES = 180;
const DDSPERF_SECONDS = 6;

const count = String(MESSAGES);

/** Maximum rate, one packet for each message. */
async function throughput({ c, js }: Peers): Promise<void> {
  const pairs = {
    "C to C": [
      [...c, "read", count],
      [...c, "write", count],
    ],
    "C to view": [
      [...js, "view", count],
      [...c, "write", count],
    ],
    "C to object": [
      [...js, "object", count],
      [...c, "write", count],
    ],
    "write to C": [
      [...c, "read", count],
      [...js, "write", count],
    ],
    "write to view": [
      [...js, "view", count],
      [...js, "write", count],
    ],
  } as const;
  const names = Object.keys(pairs) as (keyof typeof pairs)[];
  const rates = await series(ROUNDS, names, async (name) => {
    const [reader, writer] = pairs[name];
    return rateOf(MESSAGES, await exchange(reader, writer));
  });
  for (const name of names) {
    printSeries(`throughput ${name}`, rates[name], "msg/s", rates["C to C"]);
  }
}

/** Many messages per packet, compared with Cyclone's ddsperf with a payload of the same size. */
async function batching({ c, js }: Peers): Promise<void> {
  const n = String(BATCHED_MESSAGES);
  const names = ["ddsperf", "ddsperf waitset", "C to C", "write to view"] as const;
  const rates = await series(ROUNDS, names, async (name) => {
    if (name === "ddsperf") return ddsperf("listener");
    if (name === "ddsperf waitset") return ddsperf("waitset");
    const [side, mode] = name === "C to C" ? ([c, "read"] as const) : ([js, "view"] as const);
    return rateOf(
      BATCHED_MESSAGES,
      await exchange([...side, mode, n], [...side, "write", n], BATCHED),
    );
  });
  for (const name of names) {
    printSeries(`batched ${name}`, rates[name], "msg/s", rates["ddsperf"]);
  }
  const handedOver = rates["ddsperf waitset"];
  printSeries("batched write to view, of waitset", rates["write to view"], "msg/s", handedOver);
}

/**
 * The rate of ddsperf's subscriber, messages per second, without the first second. By default it
 * takes samples in a listener on the receive thread; with `waitset`, on another thread that is
 * woken, like the peers.
 */
async function ddsperf(taking: "listener" | "waitset"): Promise<number> {
  const options = { env: peerEnv(BATCHED), timeoutMs: 60_000 };
  const duration = ["-D", String(DDSPERF_SECONDS), "-k", "all"];
  const [subscriber] = await Promise.all([
    run(["ddsperf", ...duration, "sub", taking], options),
    run(["ddsperf", ...duration, "pub", "size", String(TRACK_BYTES)], options),
  ]);
  const rates = [...subscriber.stdout.matchAll(/rate ([\d.]+) kS\/s/g)].map(
    ([, thousands]) => Number(thousands) * 1000,
  );
  const steady = rates.slice(1, -1).toSorted((a, b) => a - b);
  return steady[Math.floor(steady.length / 2)] ?? Number.NaN;
}

/**
 * From before the write to the handler, at 600 messages a second: by the event loop, and by a
 * Worker that waits.
 */
async function latency({ c, js }: Peers): Promise<void> {
  const n = String(PULSES);
  const pairs = {
    "C to C": [[...c, "hear", n], c],
    "C to view": [[...js, "hear", n], c],
    "C to wait": [[...js, "hear-waiting", n], c],
    "write to view": [[...js, "hear", n], js],
    "write to wait": [[...js, "hear-waiting", n], js],
  } as const;
  const names = Object.keys(pairs) as (keyof typeof pairs)[];
  const found = await series(ROUNDS, names, async (name) => {
    const [reader, writer] = pairs[name];
    return (await exchange(reader, [...writer, "pulse", n])).read;
  });
  for (const name of names) {
    for (const percentile of ["p50", "p99"]) {
      const of = (figures: readonly Figures[]): number[] =>
        figures.map((read) => read[`${percentile}_us`] ?? Number.NaN);
      const title = `one-way latency ${percentile} ${name}`;
      printSeries(title, of(found[name]), "us", of(found["C to C"]));
      printSpread(title, of(found[name]), "us", of(found["C to C"]));
    }
  }
}

/** Bytes of JavaScript heap for each message, garbage included. */
async function allocation({ js }: Peers): Promise<void> {
  const env = peerEnv({ BUN_JSC_useGC: "0" });
  const figures = JSON.parse(await mustRun([...js, "allocation", "20000"], { env })) as Figures;
  for (const [name, value] of Object.entries(figures)) {
    if (name.endsWith("_bytes")) printFigure(`heap: ${name}`, value, "By/msg");
  }
}

/** A minute at the rate of a flood. */
async function steady({ c, js }: Peers): Promise<void> {
  const n = String(STEADY_MESSAGES);
  const { read } = await exchange([...js, "steady", n], [...c, "pulse", n]);
  printFigure("steady 600 msg/s: lost", STEADY_MESSAGES - (read["read"] ?? 0), "msg");
  for (const [name, unit] of [
    ["take_to_handler_p99_us", "us"],
    ["cpu_share", "cores"],
    ["rss_growth_bytes", "By"],
  ] as const) {
    printFigure(`steady 600 msg/s: ${name}`, read[name] ?? Number.NaN, unit);
  }
}

/** Messages of growing size. */
async function sizes({ c, js }: Peers): Promise<void> {
  const n = String(GROWING_MESSAGES);
  const steps = [
    ...[8, 64, 512, 4096].map((size) => ["text", size] as const),
    ...[0, 4, 16, 64].map((size) => ["numbers", size] as const),
  ];
  for (const [kind, size] of steps) {
    const rates = await series(GROWING_ROUNDS, ["C", "binding"], async (name) => {
      const side = name === "C" ? c : js;
      const sides = await exchange(
        [...side, `receive-${kind}`, n],
        [...side, `send-${kind}`, n, String(size)],
      );
      return rateOf(GROWING_MESSAGES, sides);
    });
    printSeries(`${kind} of ${size}`, rates["binding"], "msg/s", rates["C"]);
  }
}

/** Ten million messages through one reader, with forced garbage collections. */
async function soak({ c, js }: Peers): Promise<void> {
  const n = String(SOAK_MESSAGES);
  const { read } = await exchange([...js, "soak", n], [...c, "write", n]);
  printFigure("soak: read in order", read["in_order"] ?? Number.NaN, "msg", SOAK_MESSAGES);
  printFigure("soak: forced collections", read["collections"] ?? Number.NaN, "1");
  printFigure("soak: rate", (read["read"] ?? 0) / (read["seconds"] ?? 1), "msg/s");
  printFigure(
    "soak: resident at the end",
    read["rss_bytes"] ?? Number.NaN,
    "By",
    read["rss_early_bytes"] ?? null,
  );
}

const PARTS = { throughput, batching, latency, allocation, steady, sizes, profile, soak } as const;
type PartName = keyof typeof PARTS;
/** The soak takes minutes, so it runs only by name. */
const USUAL: readonly PartName[] = [
  "throughput",
  "batching",
  "latency",
  "allocation",
  "steady",
  "sizes",
  "profile",
];

function chosenParts([flag, name, ...rest]: readonly string[]): readonly PartName[] {
  if (flag === undefined) return USUAL;
  if (flag === "--only" && name !== undefined && rest.length === 0 && name in PARTS) {
    return [name as PartName];
  }
  throw new UsageError(
    `Cannot understand ${[flag, name, ...rest].join(" ")}: it must be --only and one of ${Object.keys(PARTS).join(", ")}`,
  );
}

const folder = mkdtempSync(join(tmpdir(), "dds-bench-"));
await runMain(async () => {
  const parts = chosenParts(Bun.argv.slice(2));
  const peers = await buildPeers(folder);
  for (const name of parts) await PARTS[name](peers);
}).finally(() => rmSync(folder, { recursive: true, force: true }));
