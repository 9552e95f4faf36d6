/** What a tool is: a description, checked arguments, and what it does with them. */
import type { z } from "zod";
import type { TelemetryUrls } from "../investigator.ts";
import type { Fetch, ToolResult } from "./recorder.ts";

export interface Tool {
  readonly description: string;
  readonly schema: z.ZodObject;
  /** The same call may do something else the next time, so that it is made again. */
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
