/**
 * The investigator `mcp`: the tools as a Model Context Protocol server. The client that connects
 * investigates.
 */
import type { Investigator } from "../investigator.ts";
import { conduct, type ConductOptions } from "./conduct.ts";

export interface McpOptions extends ConductOptions {
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
        async (examination, server) => {
          const url = `${server.url}/mcp`;
          input.transcript.phase("Loading integrations", `waiting for an MCP client at ${url}`);
          onListening?.(url);
          await server.disconnected;
          return `the client ended its session after ${examination.calls} calls without an accepted answer`;
        },
        options,
      ),
  };
}
