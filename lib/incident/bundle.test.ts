import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { UsageError } from "../base/errors.ts";
import { openBundle, packBundle, readBundle, sealBundle, writeDurably } from "./bundle.ts";
import { BundleManifestSchema, HEADER_BYTES, isEntryPath } from "./bundle-format.ts";
import { BLOCK, someBundle, someEntries } from "./testing/bundles.ts";

const folder = mkdtempSync(join(tmpdir(), "bundle-test-"));
afterAll(() => rmSync(folder, { recursive: true }));
const whole = await someBundle();
let target = "";
let targets = 0;
beforeEach(() => {
  target = join(folder, `unpacked-${targets++}`);
});

/** The manifest of a bundle as JSON, and the body. */
function parts(bytes: Buffer): { manifest: Record<string, unknown>; body: Buffer } {
  const end = HEADER_BYTES + bytes.readUInt32LE(12);
  return {
    manifest: JSON.parse(bytes.toString("utf8", HEADER_BYTES, end)) as Record<string, unknown>,
    body: bytes.subarray(end),
  };
}

const sha256 = (bytes: Uint8Array): string =>
  new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

/** A bundle with another body and a correct checksum. */
function withBody(body: Buffer, change: (manifest: Record<string, unknown>) => void = () => {}) {
  const { manifest } = parts(whole);
  Object.assign(manifest, { body_bytes: body.length, body_sha256: sha256(body) });
  change(manifest);
  return sealBundle(manifest, body);
}

describe("a bundle", () => {
  test("unpacks to the bytes that were packed", async () => {
    const entries = someEntries();
    const bundle = readBundle("a.incident", whole);
    expect(bundle.manifest).toMatchObject({ id: "0123456789abcdef", format_version: 2 });
    await bundle.unpack(target);
    for (const { path, content } of entries) {
      expect(readFileSync(join(target, path))).toEqual(Buffer.from(content));
    }
  });

  test("is written whole and read from its file", () => {
    const path = join(folder, "deep", "b.incident");
    writeDurably(path, whole);
    expect(openBundle(path).manifest.id).toBe("0123456789abcdef");
    expect(readdirSync(join(folder, "deep"))).toEqual(["b.incident"]);
  });

  test("takes no entry that is not on the list", async () => {
    const content = Buffer.from("truth");
    for (const path of ["truth.json", "../alert.json", "/etc/passwd", "prometheus/x/index"]) {
      expect(isEntryPath(path)).toBe(false);
      await expect(packBundle(parts(whole).manifest as never, [{ path, content }])).rejects.toThrow(
        `may not have an entry ${path}`,
      );
    }
  });
});

describe("a bad bundle is refused in one line, and nothing of it stays", () => {
  const good = whole;
  const otherVersion = Buffer.from(good);
  otherVersion.writeUInt32LE(1, 8);
  const changedManifest = Buffer.from(good);
  changedManifest[HEADER_BYTES + 20] = (changedManifest[HEADER_BYTES + 20] ?? 0) + 1;
  const changedBody = Buffer.from(good);
  changedBody[good.length - 9] = (changedBody[good.length - 9] ?? 0) ^ 1;
  const hugeManifest = Buffer.from(good);
  hugeManifest.writeUInt32LE(0xffff_ffff, 12);
  const { manifest, body } = parts(good);
  const entriesOf = () => structuredClone(manifest["entries"]) as { path: string; bytes: number }[];
  const leaving = entriesOf();
  leaving[0] = { ...leaving[0], path: "../../outside" } as never;
  const twice = [...entriesOf(), entriesOf()[0]];
  const greedy = entriesOf();
  greedy[0] = { ...greedy[0], bytes: 2 ** 40 } as never;
  const longer = entriesOf();
  longer[0] = { ...longer[0], bytes: 501 } as never;

  const cases: readonly (readonly [string, Buffer, string])[] = [
    ["of another format version", otherVersion, "format version must be 2, but is 1"],
    ["cut in half", good.subarray(0, good.length / 2), "it is cut off"],
    ["cut in its header", good.subarray(0, 20), "is no bundle of an incident, or is cut off"],
    ["empty", Buffer.alloc(0), "is no bundle"],
    ["of another kind", Buffer.from("PK\u0003\u0004".repeat(100)), "is no bundle"],
    ["with a changed byte in its manifest", changedManifest, "a byte was changed"],
    ["with a changed byte in its content", changedBody, "a byte was changed"],
    ["with something after its end", Buffer.concat([good, Buffer.from("x")]), "follows its end"],
    ["whose manifest says to be huge", hugeManifest, "manifest must have at most 262144 bytes"],
    ["whose manifest is no JSON", sealRaw("{", body), "is no JSON"],
    [
      "with a path that leaves its folder",
      sealBundle({ ...manifest, entries: leaving }, body),
      "one of the paths that a bundle may have",
    ],
    [
      "with a path twice",
      sealBundle({ ...manifest, entries: twice }, body),
      "a path must be unique",
    ],
    [
      "that says to unpack to too much",
      sealBundle({ ...manifest, entries: greedy }, body),
      "at most",
    ],
    [
      "without a store",
      sealBundle({ ...manifest, entries: entriesOf().slice(1) }, body),
      "telemetry.columns must be there",
    ],
    [
      "with a key that nobody knows",
      sealBundle({ ...manifest, scenario: "x" }, body),
      "Unrecognized key",
    ],
    [
      "that unpacks to less than it says",
      sealBundle({ ...manifest, entries: longer }, body),
      "it must unpack to",
    ],
    [
      "whose content is not compressed",
      withBody(Buffer.from("not zstd at all")),
      "cannot be unpacked",
    ],
    ["whose frame is cut", withBody(body.subarray(0, body.length - 4)), "unpack"],
  ];
  test.each(cases)("%s", async (_, bytes, said) => {
    let message = "";
    try {
      await readBundle("a.incident", bytes).unpack(target);
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      message = (error as Error).message;
    }
    expect(message).toStartWith("Cannot use the bundle a.incident: ");
    expect(message).toContain(said);
    expect(message).not.toContain("\n");
    expect(existsSync(target)).toBe(false);
  });

  test("a decompression bomb stops at what its manifest says, in bounded memory", async () => {
    const bomb = zstdCompressSync(Buffer.alloc(1024 * 1024 * 1024));
    const before = process.memoryUsage().rss;
    const bytes = withBody(bomb);
    expect(bytes.length).toBeLessThan(200_000);
    await expect(readBundle("a.incident", bytes).unpack(target)).rejects.toThrow(
      "it unpacks to more than the",
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
    expect(existsSync(target)).toBe(false);
  });

  test("content whose checksums are repaired but not that of one entry", async () => {
    const entries = someEntries();
    const raw = Buffer.concat(entries.map(({ content }) => content));
    raw[3] = 0;
    const bytes = withBody(zstdCompressSync(raw));
    await expect(readBundle("a.incident", bytes).unpack(target)).rejects.toThrow(
      "telemetry.columns does not match its checksum",
    );
    expect(existsSync(target)).toBe(false);
  });

  test("a file that is not there, and one that is too big", () => {
    expect(() => openBundle(join(folder, "nothing.incident"))).toThrow("ENOENT");
    const big = join(folder, "big.incident");
    writeFileSync(big, "");
    Bun.spawnSync(["truncate", "-s", "100M", big]);
    expect(() => openBundle(big)).toThrow("at most 67108864 bytes, but has 104857600");
  });
});

test("the manifest that a bundle says is the one that the schema takes", () => {
  const { manifest } = parts(whole);
  expect(BundleManifestSchema.parse(manifest)).toEqual(manifest as never);
  expect((manifest["entries"] as { path: string }[]).map(({ path }) => path)).toContain(
    `${BLOCK}/meta.json`,
  );
});

/** A bundle whose manifest is this text. */
function sealRaw(text: string, body: Buffer): Buffer {
  const sealed = sealBundle({}, body);
  const head = Buffer.from(sealed.subarray(8, 16));
  head.writeUInt32LE(text.length, 4);
  const digest = new Bun.CryptoHasher("sha256").update(head).update(text).digest();
  return Buffer.concat([sealed.subarray(0, 8), head, digest, Buffer.from(text), body]);
}
