/** A tool: a description, validated arguments and a function. */
import type { z } from "zod";
import type { TelemetryUrls } from "../investigator.ts";
import type { Fetch, ToolResult } from "./recorder.ts";

export interface Tool {
  readonly description: string;
  readonly schema: z.ZodObject;
  /** Set if repeating a call may have another effect, so that it is executed again. */
  readonly acts?: boolean;
  readonly run: (args: never, context: ToolContext) => Promise<ToolResult>;
}

export interface ToolContext {
  readonly get: Fetch;
  readonly urls: TelemetryUrls;
  readonly nowMs: number;
}

/** Declares a tool. */
export function tool<S extends z.ZodObject>(
  description: string,
  schema: S,
  run: (args: z.infer<S>, context: ToolContext) => Promise<ToolResult>,
): Tool {
  return { description, schema, run };
}
