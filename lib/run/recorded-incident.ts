/**
 * A recorded incident on disk: its bundle `<id>.incident`, and its truth `truth/<id>.json` in
 * another folder, so that a bundle can be given to examiners without the truth.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { messageOf, UsageError } from "../base/errors.ts";
import { writeDurably } from "../incident/bundle.ts";
import { BUNDLE_SUFFIX } from "../incident/bundle-format.ts";
import { EVENT_NAMES, OutcomeSchema } from "../score/run-record.ts";
import { asWriteError } from "./artefacts.ts";
import { DifficultySchema } from "./kinds/difficulty.ts";

export const TRUTH_FOLDER = "truth";

const points = z.array(z.tuple([z.number(), z.number()]));
const log = z.array(z.string());

/** Facts about a recording, outside the bundle. */
export const RecordingSchema = z.strictObject({
  schema_version: z.literal(1),
  /** Id of the bundle. */
  incident: z.string().regex(/^[0-9a-f]{16}$/),
  bundle_sha256: z.string(),
  scenario: z.string(),
  repeat: z.number().int().positive(),
  /** Time of the freeze: just after the alert fired, or later while the fault was in force. */
  moment: z.enum(["first", "later"]).default("first"),
  /** The seed from which the recording and its examinations are derived. */
  seed: z.number(),
  engine: z.string(),
  isolation: z.enum(["fresh", "keep-telemetry"]),
  versions: z.record(z.string(), z.string()),
  /** Outcomes of the attempts before this one. */
  earlier: z.array(OutcomeSchema),
  outcome: OutcomeSchema,
  timeline: z.array(z.strictObject({ name: z.enum(EVENT_NAMES), unixMs: z.number() })),
  /** The difficulty, from the changes before its alert fired; older recordings have none. */
  difficulty: DifficultySchema.nullable().default(null),
  metric_points: points,
  inject_log: log,
  cleanup_log: log,
  run_log: log,
});
export type Recording = z.infer<typeof RecordingSchema>;

/** A recording and where its bundle is. */
export interface RecordedIncident {
  readonly recording: Recording;
  readonly bundlePath: string;
}

const truthPath = (bundlePath: string): string =>
  join(dirname(bundlePath), TRUTH_FOLDER, `${basename(bundlePath, BUNDLE_SUFFIX)}.json`);

export const sha256Of = (bytes: Uint8Array): string =>
  new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

/** Writes the bundle first, because a truth without a bundle would count as recorded. */
export function writeRecordedIncident(
  folder: string,
  bytes: Uint8Array,
  recording: Recording,
): RecordedIncident {
  const bundlePath = join(folder, `${recording.incident}${BUNDLE_SUFFIX}`);
  try {
    writeDurably(bundlePath, bytes);
    writeDurably(truthPath(bundlePath), `${JSON.stringify(recording)}\n`);
  } catch (error) {
    throw asWriteError(error, folder);
  }
  return { recording, bundlePath };
}

/**
 * Reads the truth beside a bundle; throws UsageError when it is missing or belongs to another
 * bundle.
 */
export function readRecording(bundlePath: string): RecordedIncident {
  const path = truthPath(bundlePath);
  if (!existsSync(path)) {
    throw new UsageError(
      `Cannot score ${bundlePath}: its truth must be at ${path}; without it there is nothing to hold an answer against`,
    );
  }
  return { recording: readTruth(path), bundlePath };
}

/** Reads one file of truth. */
function readTruth(path: string): Recording {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UsageError(`Cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
  const parsed = RecordingSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UsageError(`Cannot read ${path}: ${issue?.path.join(".")}: ${issue?.message}`);
  }
  return parsed.data;
}

/**
 * The valid truths of these folders of incidents, by the incidents' ids; the bundles are not
 * needed.
 */
export function readTruths(folders: readonly string[]): Map<string, Recording> {
  const paths = folders
    .map((folder) => join(folder, TRUTH_FOLDER))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith(".json"))
        .map((name) => join(folder, name)),
    );
  const all = paths.map(readTruth).filter(({ outcome }) => outcome.kind === "valid");
  return new Map(all.map((recording) => [recording.incident, recording]));
}

/** The bundles that these files and folders name, each once, in the order of their ids. */
export function bundlesIn(paths: readonly string[]): string[] {
  const found = new Map<string, string>();
  for (const path of paths) {
    if (!existsSync(path)) throw new UsageError(`Cannot examine ${path}: there is no such file`);
    const files = statSync(path).isDirectory()
      ? readdirSync(path)
          .filter((name) => name.endsWith(BUNDLE_SUFFIX))
          .map((name) => join(path, name))
      : [path];
    if (files.length === 0) {
      throw new UsageError(`Cannot examine ${path}: it must have a file *${BUNDLE_SUFFIX}`);
    }
    for (const file of files) found.set(basename(file), file);
  }
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file);
}

/**
 * The valid recordings of a folder, without the later freezes of the same faults. One with a
 * damaged file does not count: it is recorded again.
 */
export function recordingsIn(folder: string): RecordedIncident[] {
  if (!existsSync(folder)) return [];
  const bundles = readdirSync(folder).filter((name) => name.endsWith(BUNDLE_SUFFIX));
  return bundles.flatMap((name) => {
    try {
      const recorded = readRecording(join(folder, name));
      const { outcome, bundle_sha256, moment } = recorded.recording;
      const isWhole = sha256Of(readFileSync(recorded.bundlePath)) === bundle_sha256;
      return outcome.kind === "valid" && moment === "first" && isWhole ? [recorded] : [];
    } catch (error) {
      if (error instanceof UsageError) return [];
      throw error;
    }
  });
}
