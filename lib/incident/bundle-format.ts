/**
 * What a bundle is: the layout of the file, what its manifest says, and what may be in it.
 *
 * | bytes | what                                                                   |
 * | ----- | ---------------------------------------------------------------------- |
 * | 8     | `CMSINCID`                                                             |
 * | 4     | format version, little-endian, as all numbers here                     |
 * | 4     | length of the manifest, bytes                                          |
 * | 32    | SHA-256 of the twelve bytes before (version, length) and the manifest   |
 * | …     | the manifest, JSON                                                     |
 * | …     | the entries in the manifest's order, one after the other, in one zstd frame |
 *
 * Everything is named by an allow-list: an entry of any other path is refused, so that no path can
 * leave its folder and no table of the store can come along by accident.
 */
import { z } from "zod";

export const MAGIC = "CMSINCID";
/**
 * Incremented when the layout, the manifest or an entry's meaning changes; another version is
 * refused.
 */
export const FORMAT_VERSION = 2;
export const HEADER_BYTES = 48;
export const BUNDLE_SUFFIX = ".incident";

/** Limits for reading; recordings stay far below them. */
export const MAX_MANIFEST_BYTES = 256 * 1024;
export const MAX_BUNDLE_BYTES = 64 * 1024 * 1024;
export const MAX_UNPACKED_BYTES = 256 * 1024 * 1024;
const MAX_ENTRIES = 400;

/**
 * Answers of Prometheus' API that a restored Prometheus cannot give: the requested path by file
 * name.
 */
export const RECORDED_ANSWERS = {
  "alerts.json": "/api/v1/alerts",
  "rules.json": "/api/v1/rules",
  "targets.json": "/api/v1/targets",
  "targets-metadata.json": "/api/v1/targets/metadata",
  "metadata.json": "/api/v1/metadata",
  "alertmanagers.json": "/api/v1/alertmanagers",
  "config.json": "/api/v1/status/config",
  "flags.json": "/api/v1/status/flags",
  "runtimeinfo.json": "/api/v1/status/runtimeinfo",
  "buildinfo.json": "/api/v1/status/buildinfo",
  "tsdb.json": "/api/v1/status/tsdb",
} as const;

export const STORE_ENTRY = "telemetry.columns";
export const ALERT_ENTRY = "alert.json";
export const RULES_ENTRY = "alert-rules.yaml";
export const INVENTORY_ENTRY = "inventory.json";

const BLOCK = /^prometheus\/[0-9A-HJKMNP-TV-Z]{26}\/(meta\.json|index|tombstones|chunks\/\d{6})$/;
const FIXED: ReadonlySet<string> = new Set([
  STORE_ENTRY,
  ALERT_ENTRY,
  RULES_ENTRY,
  INVENTORY_ENTRY,
  ...Object.keys(RECORDED_ANSWERS).map((name) => `api/${name}`),
]);
/** Without these entries nothing can be restored. */
export const REQUIRED_ENTRIES: readonly string[] = [...FIXED];

/** Whether a bundle may have an entry of this path. */
export const isEntryPath = (path: string): boolean => FIXED.has(path) || BLOCK.test(path);

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "it must be 64 hexadecimal digits");
const bytes = z.number().int().nonnegative();

const EntrySchema = z.strictObject({
  path: z.string().refine(isEntryPath, "it must be one of the paths that a bundle may have"),
  bytes,
  sha256,
});
export type Entry = z.infer<typeof EntrySchema>;

const version = z.string().min(1).max(100);

export const BundleManifestSchema = z
  .strictObject({
    format_version: z.literal(FORMAT_VERSION),
    /** Random: it reveals neither order nor scenario. */
    id: z.string().regex(/^[0-9a-f]{16}$/, "it must be 16 hexadecimal digits"),
    /** Time of the last sample; nothing in the bundle is later. */
    frozen_unix_ms: z.number().int().positive().max(8.64e15),
    /** Prometheus' flag for the maximum age of a sample that counts. */
    lookback_delta: z.string().regex(/^\d{1,6}(ms|s|m|h)$/, "it must be a duration such as 2m"),
    versions: z.strictObject({ project: version, bun: version, prometheus: version }),
    /** The compressed entries. */
    body_bytes: bytes,
    body_sha256: sha256,
    entries: z.array(EntrySchema).min(1).max(MAX_ENTRIES),
  })
  .superRefine(({ entries }, context) => {
    const paths = entries.map(({ path }) => path);
    if (new Set(paths).size < paths.length) {
      context.addIssue({ code: "custom", path: ["entries"], message: "a path must be unique" });
    }
    const missing = REQUIRED_ENTRIES.find((path) => !paths.includes(path));
    if (missing !== undefined || !paths.some((path) => path.endsWith("/meta.json"))) {
      const what = missing ?? "a block of Prometheus";
      context.addIssue({ code: "custom", path: ["entries"], message: `${what} must be there` });
    }
    const total = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    if (total > MAX_UNPACKED_BYTES) {
      const message = `they must unpack to at most ${MAX_UNPACKED_BYTES} bytes, but say ${total}`;
      context.addIssue({ code: "custom", path: ["entries"], message });
    }
  });
export type BundleManifest = z.infer<typeof BundleManifestSchema>;

/** A new id of an incident. */
export function newIncidentId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString("hex");
}
