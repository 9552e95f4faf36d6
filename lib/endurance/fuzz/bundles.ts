/**
 * Fuzzes recorded incidents: manifests, stored telemetry, and whole bundles with repaired
 * checksums.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { systemClock } from "../../base/clock.ts";
import { UsageError } from "../../base/errors.ts";
import type { Prng } from "../../base/prng.ts";
import { packBundle, readBundle, sealBundle } from "../../incident/bundle.ts";
import {
  BundleManifestSchema,
  HEADER_BYTES,
  isEntryPath,
  MAX_UNPACKED_BYTES,
  REQUIRED_ENTRIES,
} from "../../incident/bundle-format.ts";
import {
  MalformedColumnsError,
  packTelemetry,
  unpackTelemetry,
} from "../../incident/telemetry-columns.ts";
import { below, mutateBytes, mutateValue } from "./mutate.ts";
import { must, type Target, verdictOf } from "./target.ts";

const BLOCK = "prometheus/01ARZ3NDEKTSV4RRFFQ69G5FAV";
/** Keys and almost valid values. */
const WORDS = [
  "scenario",
  "entries",
  "..",
  "/etc/passwd",
  "telemetry.columns/../../x",
  `${BLOCK}/../../../x`,
  `${BLOCK}/chunks/000002`,
  "C:\\x",
  "truth.json",
  "alert.json\n",
  "2m",
  "9999999999999d",
  "0".repeat(64),
];

type Json = Record<string, unknown>;

/** A bundle with valid checksums, in parts. */
export interface GoodBundle {
  readonly manifest: Json;
  readonly content: Buffer;
}

export async function goodBundle(): Promise<GoodBundle> {
  const blocks = ["meta.json", "index", "chunks/000001"].map((name) => `${BLOCK}/${name}`);
  const bytes = await packBundle(
    {
      id: "0123456789abcdef",
      frozen_unix_ms: 1_767_225_600_000,
      lookback_delta: "2m",
      versions: { project: "0", bun: Bun.version, prometheus: "2.42.0" },
    },
    [...REQUIRED_ENTRIES, ...blocks].map((path) => ({
      path,
      content: Buffer.from(path.repeat(20)),
    })),
  );
  const end = HEADER_BYTES + bytes.readUInt32LE(12);
  return {
    manifest: JSON.parse(bytes.toString("utf8", HEADER_BYTES, end)) as Json,
    content: zstdDecompressSync(bytes.subarray(end)),
  };
}

/** Manifests of any shape are refused or meet every rule. */
export const manifests = ({ manifest }: GoodBundle): Target => ({
  name: "bundle manifest",
  make: (prng) => (prng.next() < 0.1 ? manifest : mutateValue(prng, manifest, WORDS)),
  attempt: (input) => {
    const parsed = BundleManifestSchema.safeParse(input);
    if (!parsed.success) return "refused";
    const { entries } = parsed.data;
    for (const { path } of entries) {
      must(isEntryPath(path) && resolve("/x", path) === `/x/${path}`, `the path ${path}`);
    }
    const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    must(total <= MAX_UNPACKED_BYTES, `${total} bytes`);
    return "taken";
  },
  show: (input) => JSON.stringify(input) ?? "undefined",
});

/**
 * Bundles with changed content, lengths, paths and numbers, and repaired checksums: each is refused
 * with a UsageError and leaves no file, or unpacks inside its own folder.
 */
export class BundleTarget implements Target<Buffer>, Disposable {
  readonly name = "bundle";
  readonly usualInputs = 10_000;
  readonly #good: GoodBundle;
  readonly #folder = mkdtempSync(join(tmpdir(), "fuzz-bundle-"));

  constructor(good: GoodBundle) {
    this.#good = good;
  }

  make(prng: Prng): Buffer {
    let content = Buffer.from(this.#good.content);
    for (let left = below(prng, 4); left > 0; left--) {
      content[below(prng, content.length)] = below(prng, 256);
    }
    if (prng.next() < 0.2) content = content.subarray(0, below(prng, content.length));
    if (prng.next() < 0.1) content = Buffer.concat([content, content]);
    const body = zstdCompressSync(content);
    if (prng.next() < 0.2) body[below(prng, body.length)] = below(prng, 256);
    let manifest: unknown = structuredClone(this.#good.manifest);
    if (prng.next() < 0.6) manifest = mutateValue(prng, manifest, WORDS);
    if (typeof manifest === "object" && manifest !== null) repair(manifest as Json, content, body);
    return sealBundle(manifest ?? null, body);
  }

  async attempt(input: Buffer): Promise<"taken" | "refused"> {
    const parent = join(this.#folder, "in");
    const target = join(parent, "bundle");
    mkdirSync(parent, { recursive: true });
    let verdict: "taken" | "refused" = "taken";
    try {
      await readBundle("fuzz", input).unpack(target);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      must(!existsSync(target), "a refused bundle leaves no file");
      verdict = "refused";
    }
    must(readdirSync(this.#folder).join() === "in", "a bundle stays in its folder");
    rmSync(parent, { recursive: true });
    return verdict;
  }

  show(input: Buffer): string {
    return input.toString("base64");
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The telemetry of a store with changed bytes: each is refused by name, or becomes a store. */
export function telemetryColumns(store: string): Target<Uint8Array> {
  const good = packTelemetry(store, systemClock.nowMs());
  return {
    name: "bundle telemetry",
    make: (prng) => mutateBytes(prng, [good], 2 * good.length),
    attempt: (input) =>
      verdictOf(
        () => unpackTelemetry(input, ":memory:"),
        (error) => error instanceof MalformedColumnsError,
      ),
    show: (input) => Buffer.from(input).toString("base64"),
  };
}

const sha256 = (bytes: Uint8Array): string =>
  new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

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
