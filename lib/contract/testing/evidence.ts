/** What tests of evidence begin with. */
import type { EvidenceRecord } from "../answer.ts";
import type { Fact } from "../citation.ts";

/** A call of `tool` that succeeded and told `facts`. */
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
