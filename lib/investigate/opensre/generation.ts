/**
 * The two generations of OpenSRE's command line. Both are driven without a terminal:
 *
 * - `investigate --input <alert> --output <file>` writes the analysis to a file, with a root cause;
 * - `--json ask -` reads a question on standard input and prints one JSON document with the prose.
 */
import { z } from "zod";
import type { Alert } from "../../contract/alert.ts";
import { findJsonObject } from "../model/text.ts";

export const GENERATIONS = ["investigate", "ask"] as const;
export type Generation = (typeof GENERATIONS)[number];

/** The installed generation and version. */
export interface Installed {
  readonly version: string;
  readonly generation: Generation;
}

/**
 * Detects the generation from the program's version and help. The newer command is preferred if
 * both exist; a program that lists neither is run as the older generation and fails with its own
 * message.
 */
export const installedBy = (version: string, help: string): Installed => ({
  version: /\d+(?:\.\d+)+\S*/.exec(version)?.[0] ?? "unknown",
  generation: /^\s*ask\b/m.test(help) ? "ask" : "investigate",
});

/** The analysis as the program gave it. */
export interface Analysis {
  readonly rootCause: string;
  readonly report: string;
  readonly isNoise: boolean;
}

/** The file of `investigate`; other fields differ between versions. */
const FileSchema = z.looseObject({
  report: z.string().nullish(),
  root_cause: z.string().nullish(),
  problem_md: z.string().nullish(),
  is_noise: z.boolean().nullish(),
});

/** The document of `--json ask`. */
const EnvelopeSchema = z.looseObject({
  status: z.string(),
  response: z.string().nullish(),
  error: z.looseObject({ message: z.string().nullish() }).nullish(),
});

/** The question for `ask`: the alert and the parts of an analysis, without a hint where to look. */
export const questionFor = (alert: Alert): string =>
  [
    "Investigate this alert with the Grafana integration and report its root cause.",
    'Write sections "Root cause:" (the service and what kind of fault it has), "Evidence:", "Recommended action:" and "Confidence: <n>%".',
    JSON.stringify(alert),
  ].join("\n");

/** The arguments of a generation; `alert` and `output` are files. */
export function argvOf(
  generation: Generation,
  { alert, output }: { readonly alert: string; readonly output: string },
): string[] {
  return generation === "ask"
    ? ["--json", "ask", "-"]
    : ["--yes", "investigate", "--input", alert, "--output", output];
}

/** How a program ended, and the file that it wrote. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Empty if there is none. */
  readonly file: string;
}

/** Reads what the program left; a text is the reason why there is no analysis. */
export function readAnalysis(
  generation: Generation,
  { code, stdout, stderr, file }: Ended,
): Analysis | string {
  const last = `${stdout}\n${stderr}`.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  if (generation === "ask") return readEnvelope(stdout, `exited with ${code}: ${last}`);
  if (code !== 0) return `OpenSRE exited with ${code}: ${last}`;
  if (file === "") return `OpenSRE wrote no rca.json: ${last}`;
  const parsed = FileSchema.safeParse(jsonOf(file));
  if (!parsed.success) return `rca.json: ${z.prettifyError(parsed.error)}`;
  const { report, root_cause, problem_md, is_noise } = parsed.data;
  return {
    rootCause: root_cause ?? "",
    report: [problem_md, report].filter(Boolean).join("\n"),
    isNoise: is_noise === true,
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readEnvelope(stdout: string, ended: string): Analysis | string {
  const parsed = EnvelopeSchema.safeParse(findJsonObject(stdout));
  if (!parsed.success) return `OpenSRE printed no answer; it ${ended}`;
  const { status, response, error } = parsed.data;
  if (status !== "success") {
    return `OpenSRE ended with status ${status}: ${error?.message ?? response ?? ""}`.slice(0, 400);
  }
  const text = response ?? "";
  const rootCause = /root cause\W*\n?([\s\S]*?)(?:\n\s*\n|\n#|\n\W*evidence\b|$)/i.exec(text)?.[1];
  return { rootCause: (rootCause ?? "").trim(), report: text, isNoise: false };
}
