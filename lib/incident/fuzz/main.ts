/**
 * Fuzzes the reader of bundles for minutes: `bun lib/incident/fuzz/main.ts [manifests] [bundles]
 * [seed]`; by default a million, ten thousand and a fresh seed. Prints the seed first, so that a
 * failure can be repeated.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freshSeed } from "../../base/prng.ts";
import { packBundle } from "../bundle.ts";
import {
  ALERT_ENTRY,
  HEADER_BYTES,
  INVENTORY_ENTRY,
  RECORDED_ANSWERS,
  RULES_ENTRY,
  STORE_ENTRY,
} from "../bundle-format.ts";
import { fuzzBundles, fuzzManifests } from "./fuzz.ts";

const [manifests = "1000000", bundles = "10000", seedText] = process.argv.slice(2);
const seed = seedText === undefined ? freshSeed() : Number(seedText);
process.stdout.write(`seed ${seed}\n`);

const block = "prometheus/01ARZ3NDEKTSV4RRFFQ69G5FAV";
const paths = [
  STORE_ENTRY,
  ALERT_ENTRY,
  RULES_ENTRY,
  INVENTORY_ENTRY,
  ...Object.keys(RECORDED_ANSWERS).map((name) => `api/${name}`),
  `${block}/meta.json`,
  `${block}/index`,
  `${block}/chunks/000001`,
];
const good = await packBundle(
  {
    id: "0123456789abcdef",
    frozen_unix_ms: 1_767_225_600_000,
    lookback_delta: "2m",
    versions: { project: "0", bun: Bun.version, prometheus: "2.42.0" },
  },
  paths.map((path) => ({ path, content: Buffer.from(path.repeat(20)) })),
);
const manifest: unknown = JSON.parse(
  good.toString("utf8", HEADER_BYTES, HEADER_BYTES + good.readUInt32LE(12)),
);
const folder = mkdtempSync(join(tmpdir(), "incident-fuzz-"));
try {
  const said = fuzzManifests(manifest, Number(manifests), seed);
  process.stdout.write(
    `manifests: ${said.refused} refused, ${said.taken} taken within the rules\n`,
  );
  const unpacked = await fuzzBundles(good, Number(bundles), seed, folder);
  process.stdout.write(`bundles: ${unpacked.refused} refused, ${unpacked.taken} unpacked whole\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
