/**
 * The investigator `mcp`: offers the tools as a Model Context Protocol server, and the connecting
 * client investigates. The client is not started by this lab and cannot be confined, which its rows
 * show.
 */
import type { Investigator } from "../investigator.ts";
import { conduct, type ConductOptions } from "./conduct.ts";

export interface McpOptions extends Pick<ConductOptions, "port" | "wallMs"> {
  /** Called with the address once the server listens. */
  readonly onListening?: (url: string) => void;
}

/** Creates it. The address must be given to the client; the transcript contains it as well. */
export function createMcpInvestigator({ onListening, ...options }: McpOptions = {}): Investigator {
  return {
    name: "mcp",
    investigate: (input) =>
      conduct(
        input,
        async (examination, doors, signal) => {
          const { mcp } = doors.urls;
          input.transcript.phase("Loading integrations", `waiting for an MCP client at ${mcp}`);
          onListening?.(mcp);
          const ended = Promise.withResolvers<void>();
          signal.addEventListener("abort", () => ended.resolve(), { once: true });
          await Promise.race([doors.disconnected, ended.promise]);
          return `the client ended its session after ${examination.calls} calls without an accepted answer`;
        },
        {
          ...options,
          details: () => ({ unconfined: true, unconfined_because: "the client is anybody's" }),
        },
      ),
  };
}
