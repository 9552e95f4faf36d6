/**
 * Computes the difficulty of an incident from data only: what changed before its alert fired, and
 * the position of the alert. It does not use the fault's author or investigators' results.
 */
import { z } from "zod";
import { type Fact, factsOf } from "../../contract/citation.ts";
import { CONTAINER_METRICS, LOGS, METRICS } from "../../contract/telemetry.ts";
import { downstreamOf, SERVICES, type ServiceName, upstreamOf } from "../../contract/topology.ts";
import type { TelemetryUrls } from "../../investigate/investigator.ts";
import { Toolset } from "../../investigate/tools/toolset.ts";
import type { Truth } from "../../truth/truth.ts";

export const TIERS = ["easy", "medium", "hard"] as const;
export type Tier = (typeof TIERS)[number];

export const PILLARS = ["metrics", "logs", "traces", "runtime", "dds"] as const;
export type Pillar = (typeof PILLARS)[number];

export const DifficultySchema = z.strictObject({
  /** Hops along the data flow between the alerted service and the nearest faulty one. */
  hops: z.number(),
  /** Pillars that show a change of a faulty service beyond the noise. */
  pillars: z.array(z.enum(PILLARS)),
  /** The largest change of a faulty service in multiples of the noise. */
  effect: z.number(),
  faults: z.number(),
  benign: z.number(),
  tier: z.enum(TIERS),
});
export type Difficulty = z.infer<typeof DifficultySchema>;

/** The pillar of a signal. */
export function pillarOf(signal: string): Pillar {
  if (signal in CONTAINER_METRICS || signal === "up") return "runtime";
  if (signal.startsWith("cms_dds_")) return "dds";
  if (signal in METRICS || signal.startsWith("otlp_")) return "metrics";
  return signal in LOGS ? "logs" : "traces";
}

/** Minimum noise: a change by this factor. */
const LEAST_NOISE = Math.log(1.25);

interface Change {
  readonly service: string;
  readonly signal: string;
  /** Logarithm of the factor. */
  readonly size: number;
}

/** Pairs the facts before and during the incident by subject. */
function changesOf(facts: readonly Fact[]): Change[] {
  const pairs = new Map<string, { fact: Fact; before?: Fact["value"]; during?: Fact["value"] }>();
  for (const fact of facts) {
    const key = JSON.stringify([
      fact.signal,
      fact.service,
      Object.entries(fact.labels)
        .map((pair) => pair.join("="))
        .toSorted(compareText),
    ]);
    const pair = pairs.get(key) ?? { fact };
    if (fact.when === "before") pair.before = fact.value;
    if (fact.when === "during") pair.during = fact.value;
    pairs.set(key, pair);
  }
  return [...pairs.values()].flatMap(({ fact: { service, signal }, before, during }) =>
    service === null ? [] : [{ service, signal, size: sizeOf(before, during) }],
  );
}

const compareText = (a: string, b: string): number => (a < b ? -1 : 1);

function sizeOf(before?: Fact["value"], during?: Fact["value"]): number {
  const [a, b] = [Number(before), Number(during)];
  if (!Number.isFinite(a) || !Number.isFinite(b)) return before === during ? 0 : Math.log(100);
  const floor = Math.max(Math.abs(a), Math.abs(b)) / 100;
  return floor === 0 ? 0 : Math.abs(Math.log((Math.abs(b) + floor) / (Math.abs(a) + floor)));
}

/** Hops of the shortest path along the data flow, in either direction. */
export function hopsBetween(from: ServiceName, to: ServiceName): number {
  const hops = new Map<ServiceName, number>([[from, 0]]);
  for (const [at, n] of hops) {
    for (const next of [...downstreamOf(at), ...upstreamOf(at)]) {
      if (!hops.has(next)) hops.set(next, n + 1);
    }
  }
  return hops.get(to) ?? SERVICES.length;
}

export interface Measured {
  /** The facts of `compare` for all services. */
  readonly facts: readonly Fact[];
  readonly alerted: ServiceName;
  readonly truth: Pick<Truth, "faults">;
  /** Harmless changes. */
  readonly benign: number;
}

export function difficultyOf({ facts, alerted, truth, benign }: Measured): Difficulty {
  const guilty = new Set<string>(truth.faults.map(({ culprit }) => culprit));
  const names = [...guilty].filter((name): name is ServiceName =>
    (SERVICES as readonly string[]).includes(name),
  );
  const touched = new Set<string>([...guilty, ...names.flatMap(downstreamOf)]);
  const changes = changesOf(facts);
  const innocent = changes.filter(({ service }) => !touched.has(service)).map(({ size }) => size);
  const noise = Math.max(LEAST_NOISE, quantile(innocent, 0.9));
  const own = changes.filter(({ service, size }) => guilty.has(service) && size > noise);
  const pillars = PILLARS.filter((pillar) => own.some(({ signal }) => pillarOf(signal) === pillar));
  const hops = Math.min(SERVICES.length, ...names.map((name) => hopsBetween(name, alerted)));
  const effect = Math.max(0, ...own.map(({ size }) => size)) / noise;
  const all = { hops, pillars, effect: Number(effect.toFixed(2)), faults: guilty.size, benign };
  return { ...all, tier: tierOf(all) };
}

/** Points for properties that hide a fault: 0 or 1 is easy, 2 or 3 medium, more is hard. */
export function tierOf({ hops, pillars, effect, faults, benign }: Omit<Difficulty, "tier">): Tier {
  const points =
    Math.min(2, hops) +
    (pillars.length >= 3 ? 0 : pillars.length === 2 ? 1 : 2) +
    (effect >= 3 ? 0 : effect >= 1.5 ? 1 : 2) +
    Math.min(1, benign) +
    Math.min(1, faults - 1);
  return points <= 1 ? "easy" : points <= 3 ? "medium" : "hard";
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Number of healthy services whose changes represent the noise; each takes seconds to read. */
const NOISE_SERVICES = 2;

/** Reads the changes of the faulty services and of some unrelated ones. */
export async function readChanges(
  urls: TelemetryUrls,
  { faults }: Measured["truth"],
): Promise<readonly Fact[]> {
  const tools = new Toolset({ urls });
  const guilty = SERVICES.filter((name) => faults.some(({ culprit }) => culprit === name));
  const touched = new Set([...guilty, ...guilty.flatMap(downstreamOf)]);
  const innocent = SERVICES.filter((name) => !touched.has(name)).slice(0, NOISE_SERVICES);
  const facts: Fact[] = [];
  for (const service of [...guilty, ...innocent]) {
    facts.push(...factsOf(await tools.call("compare", { service })));
  }
  return facts;
}
