/**
 * The two generations of OpenSRE's command line. Both are driven without a terminal:
 *
 * - `investigate --input <alert> --output <file>` writes the analysis to a file, with a root cause;
 * - `--json ask -` reads a question on standard input and prints one JSON document with the prose.
 */
import { z } from "zod";
import type { Alert } from "../../contract/alert.ts";
import { type RunOptions, type RunResult, run } from "../../base/shell.ts";
import { findJsonObject } from "../model/text.ts";

export const GENERATIONS = ["investigate", "ask"] as const;
export type Generation = (typeof GENERATIONS)[number];

/** The installed generation and version. */
export interface Installed {
  readonly version: string;
  readonly generation: Generation;
}

/** Milliseconds. A Python program of this size takes seconds to print its help. */
const PROBE_TIMEOUT_MS = 120_000;

/**
 * Determines the generation of the program. If it has both commands, the newer one counts; a
 * program that lists neither is run as the older generation, and its own error is reported.
 *
 * Throws EnvironmentError when it cannot be started.
 */
export async function probe(program: string, options: RunOptions): Promise<Installed> {
  const limited = { ...options, timeoutMs: PROBE_TIMEOUT_MS };
  const stated = await run([program, "--version"], limited);
  const help = await run([program, "--help"], limited);
  return {
    version: /\d+(?:\.\d+)+\S*/.exec(stated.stdout)?.[0] ?? "unknown",
    generation: /^\s*ask\b/m.test(help.stdout) ? "ask" : "investigate",
  };
}

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

/** The argument list of a generation; `alert` and `output` are files. */
export function argvOf(
  generation: Generation,
  program: string,
  { alert, output }: { readonly alert: string; readonly output: string },
): string[] {
  return generation === "ask"
    ? [program, "--json", "ask", "-"]
    : [program, "--yes", "investigate", "--input", alert, "--output", output];
}

/** Reads the program's output; a text is the reason why there is no analysis. */
export async function readAnalysis(
  generation: Generation,
  { code, stdout, stderr }: RunResult,
  output: string,
): Promise<Analysis | string> {
  const last = `${stdout}\n${stderr}`.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  if (generation === "ask") return readEnvelope(stdout, `exited with ${code}: ${last}`);
  if (code !== 0) return `OpenSRE exited with ${code}: ${last}`;
  const file = Bun.file(output);
  if (!(await file.exists())) return `OpenSRE wrote no rca.json: ${last}`;
  const parsed = FileSchema.safeParse(await file.json().catch(() => undefined));
  if (!parsed.success) return `rca.json: ${z.prettifyError(parsed.error)}`;
  const { report, root_cause, problem_md, is_noise } = parsed.data;
  return {
    rootCause: root_cause ?? "",
    report: [problem_md, report].filter(Boolean).join("\n"),
    isNoise: is_noise === true,
  };
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
