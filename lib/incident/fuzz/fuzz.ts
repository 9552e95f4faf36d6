/**
 * Random damage to bundles: manifests of any shape, and changed bundles with repaired checksums.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { zstdCompress, zstdDecompressSync } from "node:zlib";
import { UsageError } from "../../base/errors.ts";
import { createPrng, type Prng } from "../../base/prng.ts";
import { readBundle, sealBundle } from "../bundle.ts";
import {
  BundleManifestSchema,
  HEADER_BYTES,
  isEntryPath,
  MAX_UNPACKED_BYTES,
} from "../bundle-format.ts";

const compress = promisify(zstdCompress);

/** Values that break parsers, and almost valid values. */
const ODD: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  0.5,
  2 ** 31,
  2 ** 53,
  1e308,
  "",
  "..",
  "../../etc/passwd",
  "/etc/passwd",
  "telemetry.sqlite/../../x",
  "prometheus/01ARZ3NDEKTSV4RRFFQ69G5FAV/../../../x",
  "prometheus/01ARZ3NDEKTSV4RRFFQ69G5FAV/chunks/000002",
  "C:\\x",
  "truth.json",
  "\u0000",
  "alert.json\n",
  "2m",
  "9999999999999d",
  "a".repeat(300),
  [],
  {},
  { __proto__: { polluted: true } },
  [[[]]],
  "0".repeat(64),
];

const pick = <T>(prng: Prng, items: readonly T[]): T =>
  items[Math.floor(prng.next() * items.length)] as T;

type Json = Record<string, unknown>;

/** Changes one place anywhere in a value. */
function mutate(value: unknown, prng: Prng): unknown {
  if (prng.next() < 0.25 || typeof value !== "object" || value === null) return pick(prng, ODD);
  if (Array.isArray(value)) {
    const copy = [...(value as unknown[])];
    const at = Math.floor(prng.next() * copy.length);
    const dice = prng.next();
    if (dice < 0.2) copy.splice(at, 1);
    else if (dice < 0.4) copy.push(copy[at]);
    else copy[at] = mutate(copy[at], prng);
    return copy;
  }
  const keys = Object.keys(value);
  const key = prng.next() < 0.1 ? "scenario" : pick(prng, keys);
  const copy: Json = { ...(value as Json) };
  if (prng.next() < 0.1) delete copy[key];
  else copy[key] = mutate(copy[key], prng);
  return copy;
}

/** Numbers of accepted and refused inputs. */
export interface Tally {
  readonly taken: number;
  readonly refused: number;
}

/** Checks `count` changed manifests: each must be refused or meet every rule; throws otherwise. */
export function fuzzManifests(good: unknown, count: number, seed: number): Tally {
  const prng = createPrng(seed);
  let taken = 0;
  for (let i = 0; i < count; i++) {
    let changed = mutate(good, prng);
    while (prng.next() < 0.3) changed = mutate(changed, prng);
    const parsed = BundleManifestSchema.safeParse(changed);
    if (!parsed.success) continue;
    taken++;
    const { entries } = parsed.data;
    const bad = entries.find(
      ({ path }) => !isEntryPath(path) || resolve("/x", path) !== `/x/${path}`,
    );
    if (bad !== undefined)
      throw new Error(`seed ${seed}, manifest ${i}: took the path ${bad.path}`);
    const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    if (!(total <= MAX_UNPACKED_BYTES))
      throw new Error(`seed ${seed}, manifest ${i}: took ${total} bytes`);
  }
  return { taken, refused: count - taken };
}

const sha256 = (bytes: Uint8Array): string =>
  new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

/**
 * Unpacks `count` changed bundles below `folder`: content, lengths, paths and numbers are changed,
 * and checksums repaired. Each must be refused with a UsageError and leave no file, or unpack
 * inside its own folder.
 */
export async function fuzzBundles(
  good: Buffer,
  count: number,
  seed: number,
  folder: string,
): Promise<Tally> {
  const prng = createPrng(seed);
  const end = HEADER_BYTES + good.readUInt32LE(12);
  const manifest = JSON.parse(good.toString("utf8", HEADER_BYTES, end)) as Json;
  const raw = zstdDecompressSync(good.subarray(end));
  let taken = 0;
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < count; i++) {
    const bytes = await changedBundle(manifest, raw, prng);
    const target = join(folder, "in", String(i));
    mkdirSync(join(folder, "in"), { recursive: true });
    let wasRefused = false;
    try {
      await readBundle("fuzz", bytes).unpack(target);
      taken++;
    } catch (error) {
      if (!(error instanceof UsageError)) {
        throw new Error(`seed ${seed}, bundle ${i}: it was not refused but failed`, {
          cause: error,
        });
      }
      wasRefused = true;
    }
    if (wasRefused && existsSync(target)) {
      throw new Error(`seed ${seed}, bundle ${i}: it was half restored`);
    }
    const outside = readdirSync(folder).filter((name) => name !== "in");
    if (outside.length > 0) {
      throw new Error(`seed ${seed}, bundle ${i}: it left its folder: ${outside.join(sep)}`);
    }
    rmSync(join(folder, "in"), { recursive: true, force: true });
  }
  return { taken, refused: count - taken };
}

async function changedBundle(manifest: Json, raw: Buffer, prng: Prng): Promise<Buffer> {
  let content = Buffer.from(raw);
  for (let changes = Math.floor(prng.next() * 4); changes > 0; changes--) {
    content[Math.floor(prng.next() * content.length)] = Math.floor(prng.next() * 256);
  }
  if (prng.next() < 0.2) content = content.subarray(0, Math.floor(prng.next() * content.length));
  if (prng.next() < 0.1) content = Buffer.concat([content, content]);
  const body = Buffer.from(await compress(content));
  if (prng.next() < 0.2)
    body[Math.floor(prng.next() * body.length)] = Math.floor(prng.next() * 256);
  let changed: unknown = structuredClone(manifest);
  if (prng.next() < 0.6) changed = mutate(changed, prng);
  if (typeof changed === "object" && changed !== null) repair(changed as Json, content, body);
  return sealBundle(changed, body);
}

/** Corrects the checksums of body and entries, as far as possible. */
function repair(manifest: Json, content: Buffer, body: Buffer): void {
  manifest["body_bytes"] = body.length;
  manifest["body_sha256"] = sha256(body);
  let at = 0;
  const { entries } = manifest;
  for (const entry of Array.isArray(entries) ? (entries as unknown[]) : []) {
    if (typeof entry !== "object" || entry === null) continue;
    const { bytes } = entry as Json;
    if (typeof bytes !== "number" || !(bytes >= 0 && bytes <= content.length)) continue;
    (entry as Json)["sha256"] = sha256(content.subarray(at, at + bytes));
    at += bytes;
  }
}
