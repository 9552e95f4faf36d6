/**
 * Writes and reads bundles. An incomplete bundle is refused with one line, and no file of it stays:
 * it is unpacked into its own folder, which is removed when a check fails.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { constants, createZstdDecompress, zstdCompress } from "node:zlib";
import { messageOf, UsageError } from "../base/errors.ts";
import {
  type BundleManifest,
  BundleManifestSchema,
  type Entry,
  FORMAT_VERSION,
  HEADER_BYTES,
  isEntryPath,
  MAGIC,
  MAX_BUNDLE_BYTES,
  MAX_MANIFEST_BYTES,
} from "./bundle-format.ts";

/** Level 19 saves another tenth and takes twenty times as long. */
const LEVEL = 12;

/** Facts from the maker of a bundle; the rest of the manifest follows from the entries. */
export type BundleFacts = Pick<
  BundleManifest,
  "id" | "frozen_unix_ms" | "lookback_delta" | "versions"
>;

export interface NewEntry {
  readonly path: string;
  readonly content: Uint8Array;
}

const digest = (...parts: readonly Uint8Array[]): Buffer => {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const part of parts) hasher.update(part);
  return hasher.digest();
};

const compress = promisify(zstdCompress);

/**
 * Returns the bytes of a bundle; compression runs on another thread. Throws for an entry with an
 * invalid path.
 */
export async function packBundle(
  facts: BundleFacts,
  entries: readonly NewEntry[],
): Promise<Buffer> {
  const refused = entries.find(({ path }) => !isEntryPath(path));
  if (refused !== undefined) throw new Error(`A bundle may not have an entry ${refused.path}`);
  const body = await compress(Buffer.concat(entries.map(({ content }) => content)), {
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL },
  });
  const manifest: BundleManifest = {
    format_version: FORMAT_VERSION,
    ...facts,
    body_bytes: body.length,
    body_sha256: digest(body).toString("hex"),
    entries: entries.map(({ path, content }) => ({
      path,
      bytes: content.length,
      sha256: digest(content).toString("hex"),
    })),
  };
  return sealBundle(BundleManifestSchema.parse(manifest), body);
}

/** Combines header, manifest and body; the manifest is not checked. */
export function sealBundle(manifest: unknown, body: Uint8Array): Buffer {
  const text = Buffer.from(JSON.stringify(manifest));
  const head = Buffer.alloc(8);
  head.writeUInt32LE(FORMAT_VERSION, 0);
  head.writeUInt32LE(text.length, 4);
  return Buffer.concat([Buffer.from(MAGIC), head, digest(head, text), text, body]);
}

/** Writes `content` to `path` atomically; it is on disk when this returns. */
export function writeDurably(path: string, content: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}.partial`;
  const file = openSync(fresh, "w");
  try {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(fresh, path);
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** A bundle with a valid header and manifest; its entries are checked when they are unpacked. */
export interface Bundle {
  readonly path: string;
  readonly manifest: BundleManifest;
  /**
   * Writes every entry below `folder`, which must not exist, and checks each; removes it and throws
   * UsageError otherwise.
   */
  unpack(folder: string): Promise<void>;
}

/**
 * Opens the bundle at `path`; throws UsageError that names the file and the rule that it breaks.
 */
export function openBundle(path: string): Bundle {
  return readBundle(path, readBytes(path));
}

/** The same for bytes that were read already. */
export function readBundle(path: string, bytes: Buffer): Bundle {
  const manifest = manifestOf(path, bytes);
  const start = HEADER_BYTES + bytes.readUInt32LE(12);
  const found = bytes.length - start;
  if (found !== manifest.body_bytes) {
    const rule = found < manifest.body_bytes ? "it is cut off" : "something follows its end";
    throw refusal(
      path,
      `${rule}: ${manifest.body_bytes} bytes must follow the manifest, but ${found} do`,
    );
  }
  const body = bytes.subarray(start);
  if (digest(body).toString("hex") !== manifest.body_sha256) {
    throw refusal(
      path,
      "its content does not match the checksum in the manifest: a byte was changed",
    );
  }
  return { path, manifest, unpack: (folder) => unpack(path, body, manifest.entries, folder) };
}

const refusal = (path: string, why: string, cause?: unknown): UsageError =>
  new UsageError(`Cannot use the bundle ${path}: ${why}`, cause === undefined ? {} : { cause });

function readBytes(path: string): Buffer {
  try {
    const { size } = statSync(path);
    if (size > MAX_BUNDLE_BYTES) {
      throw new Error(`it must have at most ${MAX_BUNDLE_BYTES} bytes, but has ${size}`);
    }
    return readFileSync(path);
  } catch (error) {
    throw refusal(path, messageOf(error), error);
  }
}

function manifestOf(path: string, bytes: Buffer): BundleManifest {
  if (bytes.length < HEADER_BYTES || bytes.toString("latin1", 0, 8) !== MAGIC) {
    throw refusal(path, "it is no bundle of an incident, or is cut off");
  }
  const version = bytes.readUInt32LE(8);
  if (version !== FORMAT_VERSION) {
    throw refusal(path, `its format version must be ${FORMAT_VERSION}, but is ${version}`);
  }
  const length = bytes.readUInt32LE(12);
  if (length > MAX_MANIFEST_BYTES) {
    throw refusal(
      path,
      `its manifest must have at most ${MAX_MANIFEST_BYTES} bytes, but has ${length}`,
    );
  }
  if (bytes.length < HEADER_BYTES + length) throw refusal(path, "it is cut off in its manifest");
  const text = bytes.subarray(HEADER_BYTES, HEADER_BYTES + length);
  if (!digest(bytes.subarray(8, 16), text).equals(bytes.subarray(16, HEADER_BYTES))) {
    throw refusal(path, "its manifest does not match its checksum: a byte was changed");
  }
  let json: unknown;
  try {
    json = JSON.parse(text.toString("utf8"));
  } catch (error) {
    throw refusal(path, `its manifest is no JSON: ${messageOf(error)}`, error);
  }
  const parsed = BundleManifestSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refusal(path, `its manifest: ${issue?.path.join(".")}: ${issue?.message}`);
  }
  return parsed.data;
}

async function unpack(
  path: string,
  body: Uint8Array,
  entries: readonly Entry[],
  folder: string,
): Promise<void> {
  mkdirSync(folder, { mode: 0o700 });
  try {
    const total = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    const raw = await decompress(path, body, total);
    let at = 0;
    for (const entry of entries) {
      const content = raw.subarray(at, at + entry.bytes);
      at += entry.bytes;
      if (digest(content).toString("hex") !== entry.sha256) {
        throw refusal(path, `${entry.path} does not match its checksum in the manifest`);
      }
      mkdirSync(dirname(join(folder, entry.path)), { recursive: true });
      writeFileSync(join(folder, entry.path), content);
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Decompresses exactly `total` bytes; stops as soon as there are more, which limits the cost of a
 * decompression bomb.
 */
async function decompress(path: string, body: Uint8Array, total: number): Promise<Buffer> {
  const stream = createZstdDecompress();
  const raw = Buffer.alloc(total);
  let length = 0;
  stream.end(body);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (length + chunk.length > total) {
        throw refusal(path, `it unpacks to more than the ${total} bytes stated in its manifest`);
      }
      chunk.copy(raw, length);
      length += chunk.length;
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw refusal(path, `it cannot be unpacked: ${messageOf(error)}`, error);
  } finally {
    stream.destroy();
  }
  if (length !== total) {
    throw refusal(path, `it must unpack to ${total} bytes, but there are ${length}`);
  }
  return raw;
}
