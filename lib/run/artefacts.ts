/** Reads and writes the files of a run; results/README.md describes each. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { EnvironmentError, isDiskFull, UsageError } from "../base/errors.ts";
import { type Alert, withoutScenario } from "../contract/alert.ts";
import {
  type Answer,
  AnswerSchema,
  type EvidenceRecord,
  EvidenceRecordSchema,
} from "../contract/answer.ts";
import { type Manifest, ManifestSchema } from "../score/run-record.ts";
import { diskFull } from "./disk-full.ts";
import type { Look } from "./examine.ts";
import type { Incident } from "./incident.ts";
import { PARTIAL, replaceFolder } from "./replace-folder.ts";

/** A run needs about 2 MB; below this free space it does not start. */
const FREE_BYTES_NEEDED = 50 * 1024 * 1024;

/** Throws unless the folder accepts results, so that a run fails early. */
export function checkResultsFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    const { bavail, bsize } = statfsSync(folder);
    const free = bavail * bsize;
    if (free < FREE_BYTES_NEEDED) {
      throw new EnvironmentError(
        `Cannot keep results in ${folder}: ${FREE_BYTES_NEEDED / 2 ** 20} MiB must be free, but only ${Math.floor(free / 2 ** 20)} MiB are`,
      );
    }
    const probe = `${folder}/.probe`;
    writeFileSync(probe, "x");
    rmSync(probe);
  } catch (error) {
    throw asWriteError(error, folder);
  }
}

export function asWriteError(error: unknown, folder: string): Error {
  if (error instanceof EnvironmentError) return error;
  if (isDiskFull(error)) return diskFull(error);
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return error as Error;
  return new EnvironmentError(`Cannot keep results in ${folder}: ${message}`, { cause: error });
}

const lines = (text: readonly string[]): string =>
  text.length === 0 ? "" : `${text.join("\n")}\n`;
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Replaces the run in `folder`; SIGKILL at any moment leaves either the old or the new run. */
export function writeRun(
  folder: string,
  incident: Incident,
  look: Look | undefined,
  manifest: Manifest,
): void {
  const outcome = look?.investigation.outcome;
  const files: Readonly<Record<string, string>> = {
    "inject.log": lines(incident.injectLog),
    "cleanup.log": lines(incident.cleanupLog),
    "run.log": lines(transcriptOf(incident, look)),
    "alert.json": json(
      incident.alert === null ? null : withoutScenario(incident.alert satisfies Alert),
    ),
    "rca.json": json(outcome?.kind === "answered" ? outcome.answer : null),
    "evidence.jsonl": lines(
      (look?.investigation.evidence ?? []).map((record) => JSON.stringify(record)),
    ),
    "score.json": json(manifest.score),
    "manifest.json": json(manifest),
  };
  try {
    replaceFolder(folder, files);
  } catch (error) {
    throw asWriteError(error, folder);
  }
}

/** The lines of the run without those of other investigators. */
function transcriptOf({ runLog, looks }: Incident, look: Look | undefined): string[] {
  const others = new Set(
    looks.filter((other) => other !== look).flatMap(({ transcript }) => transcript),
  );
  return runLog.filter((line) => !others.has(line));
}

export function writeText(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw asWriteError(error, path);
  }
}

/** Replaces the manifest of a kept run. */
export function rewriteManifest(folder: string, manifest: Manifest): void {
  writeText(`${folder}/manifest.json`, json(manifest));
}

/** Replaces the score of a kept run, in both files that contain it. */
export function rewriteScore(folder: string, manifest: Manifest): void {
  writeText(`${folder}/manifest.json`, json(manifest));
  writeText(`${folder}/score.json`, json(manifest.score));
}

/** A kept run and its folder. */
export interface KeptRun {
  readonly path: string;
  readonly manifest: Manifest;
}

/**
 * Reads every manifest below `folder`; throws UsageError for one of another shape. A damaged one
 * (empty, or not JSON) is renamed, with a message to `say`: only its run is lost.
 */
export async function readManifests(
  folder: string,
  say: (line: string) => void = () => {},
): Promise<KeptRun[]> {
  if (!existsSync(folder)) return [];
  const found: KeptRun[] = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.name !== "manifest.json" || !entry.isFile()) continue;
    // Left by a program that was killed while writing.
    if (entry.parentPath.endsWith(PARTIAL)) continue;
    const path = `${entry.parentPath}/${entry.name}`;
    const json = parseJson(await Bun.file(path).text());
    if (json === undefined) {
      renameSync(path, `${path}.torn`);
      say(`${path} was torn and is set aside as ${path}.torn`);
      continue;
    }
    const parsed = ManifestSchema.safeParse(json);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw new UsageError(`Cannot read ${path}: ${issue?.path.join(".")}: ${issue?.message}`);
    }
    found.push({ path: entry.parentPath, manifest: parsed.data });
  }
  return found.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads answer and evidence of a run; missing files count as empty. */
export async function readRun(
  folder: string,
): Promise<{ answer: Answer | null; evidence: EvidenceRecord[] }> {
  const answer = Bun.file(`${folder}/rca.json`);
  const evidence = Bun.file(`${folder}/evidence.jsonl`);
  const text = (await evidence.exists()) ? await evidence.text() : "";
  return {
    answer: (await answer.exists()) ? AnswerSchema.nullable().parse(await answer.json()) : null,
    evidence: text
      .split("\n")
      .filter(Boolean)
      .map((line) => EvidenceRecordSchema.parse(JSON.parse(line))),
  };
}

/** Maximum length of an investigator's name in a folder's name. */
const MAX_NAME_CHARACTERS = 60;

/**
 * Makes a folder name from an investigator's name; a long one ends in a hash, so that names stay
 * distinct.
 */
export function fileNameOf(investigator: string): string {
  const plain = investigator.replaceAll(/[^\w.-]/g, "_");
  if (plain.length <= MAX_NAME_CHARACTERS) return plain;
  const hash = new Bun.CryptoHasher("sha256").update(investigator).digest("hex").slice(0, 8);
  return `${plain.slice(0, MAX_NAME_CHARACTERS)}-${hash}`;
}
