/** All pairs of kind and target, and random faults drawn from them. */
import { loadKinds, nameOfDraws } from "./compose.ts";
import type { Draw, Intensity, NamedKind } from "./kind.ts";

/** The amount at a share of the range; logarithmic if the range spans magnitudes. */
export function amountAt({ min, max, whole }: Intensity, share: number): number {
  const isWide = min > 0 && max / min > 10;
  const value = isWide ? min * (max / min) ** share : min + (max - min) * share;
  const rounded = whole === true ? Math.round(value) : Number(value.toPrecision(3));
  return Math.min(max, Math.max(min, rounded));
}

/** Each kind on each of its targets, with a medium amount. */
export async function allPairs(names: readonly string[] = []): Promise<Draw[]> {
  const kinds = [...(await loadKinds()).values()];
  return kinds
    .filter(({ name, faultClass }) =>
      names.length === 0 ? faultClass !== "none" : names.includes(name),
    )
    .flatMap((kind) => kind.targets.map((service) => ({ kind, service, amount: middleOf(kind) })));
}

const middleOf = ({ intensity }: NamedKind): number =>
  intensity === null ? 0 : amountAt(intensity, 0.5);

/** One fast pair of each kind without machine load, for continuous integration. */
export const QUICK = [
  "process-kill.eo-sensor",
  "process-freeze.command-center",
  "one-way-cut.esm-sensor",
  "writer-ownership.eo-sensor",
  "not-a-number.radar-sensor.1",
  "scrape-blocked.effector-manager",
] as const;

export const nameOfDraw = (draw: Draw): string => nameOfDraws([draw]);

/** Seeds of the test split start here: they draw reserved kinds, which public seeds never do. */
export const FIRST_TEST_SEED = 1_000_000;
export const isTestSeed = (seed: number): boolean => seed >= FIRST_TEST_SEED;

/** A randomly drawn incident. */
export interface DrawnIncident {
  /** The faults in order of injection. */
  readonly draws: readonly Draw[];
  /** From the proof of a healthy system to the injection. */
  readonly onsetSeconds: number;
}

const MAX_ONSET_SECONDS = 45;
/** Shares of incidents with two independent faults, and with a harmless change before the fault. */
const SHARES = { two: 0.15, benign: 0.2 };

/** The random numbers of a draw. */
export interface Chance {
  /** A number in [0, 1). */
  next(): number;
  child(label: string): Chance;
}

/** Draws the incident with this number, reproducibly. */
export async function drawIncident(
  chance: Chance,
  seed: number,
  number: number,
): Promise<DrawnIncident> {
  const kinds = [...(await loadKinds()).values()].filter(
    ({ heldOut }) => isTestSeed(seed) || heldOut !== true,
  );
  const own = chance.child(`incident ${number}`);
  const faults = kinds.filter(({ faultClass }) => faultClass !== "none");
  const harmless = kinds.filter(({ faultClass }) => faultClass === "none");
  const shape = own.next();
  const first = drawOne(own, faults);
  const onsetSeconds = Math.round(own.next() * MAX_ONSET_SECONDS);
  if (shape < SHARES.two) {
    return { draws: [first, drawBeside(own, faults, first)], onsetSeconds };
  }
  if (shape < SHARES.two + SHARES.benign) {
    return { draws: [drawBeside(own, harmless, first), first], onsetSeconds };
  }
  return { draws: [first], onsetSeconds };
}

function drawOne(chance: Chance, kinds: readonly NamedKind[]): Draw {
  const kind = pick(chance, kinds);
  const share = chance.next();
  return {
    kind,
    service: pick(chance, kind.targets),
    amount: kind.intensity === null ? 0 : amountAt(kind.intensity, share),
  };
}

/** Another, independent fault: of another service, and not of the whole machine. */
function drawBeside(chance: Chance, kinds: readonly NamedKind[], first: Draw): Draw {
  for (;;) {
    const draw = drawOne(chance, kinds);
    const isApart = draw.service !== first.service && draw.kind.name !== first.kind.name;
    if (isApart && draw.kind.changes !== "machine") return draw;
  }
}

function pick<T>(chance: Chance, from: readonly T[]): T {
  const found = from[Math.floor(chance.next() * from.length)];
  if (found === undefined) throw new RangeError("there is nothing to pick from");
  return found;
}
