import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HEADER_BYTES } from "../bundle-format.ts";
import { someBundle } from "../testing/bundles.ts";
import { fuzzBundles, fuzzManifests } from "./fuzz.ts";

const folder = mkdtempSync(join(tmpdir(), "fuzz-test-"));
afterAll(() => rmSync(folder, { recursive: true }));
const good = await someBundle();

test("manifests of any shape are refused, or keep every rule", () => {
  const text = good.toString("utf8", HEADER_BYTES, HEADER_BYTES + good.readUInt32LE(12));
  const { taken, refused } = fuzzManifests(JSON.parse(text), 5000, 1);
  expect(taken).toBeGreaterThan(50);
  expect(refused).toBeGreaterThan(3000);
});

test("changed bundles with repaired checksums are refused whole, or stay in their folder", async () => {
  const { taken, refused } = await fuzzBundles(good, 150, 1, folder);
  expect(taken).toBeGreaterThan(10);
  expect(refused).toBeGreaterThan(10);
});
