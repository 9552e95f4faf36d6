/** Makes evidence records for tests. */
import type { EvidenceRecord } from "../answer.ts";
import type { Fact } from "../citation.ts";

/** The record of a successful call of `tool` that returned `facts`. */
export function recordOf(
  id: string,
  tool: string,
  args: Readonly<Record<string, unknown>>,
  facts: readonly Fact[],
): EvidenceRecord {
  return {
    id,
    tool,
    arguments: { ...args },
    request: [],
    window: null,
    asked_unix_ms: 0,
    duration_ms: 1,
    ok: true,
    answer: JSON.stringify({ facts }),
  };
}
