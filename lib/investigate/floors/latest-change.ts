/**
 * `latest-change`: blames the service that was started last. It shows how much the injection by
 * replacing a service reveals.
 */
import { factsOf } from "../../contract/citation.ts";
import { isServiceName } from "../../contract/topology.ts";
import { createFloor, type FloorOptions, type Guess } from "./floor.ts";
import type { Toolset } from "../tools/toolset.ts";

const STARTED = "container_start_time_seconds";
/** All processes of a system start within this time, seconds. */
const START_UP_SECONDS = 10;

export const latestChange = createLatestChange();

export function createLatestChange(options: FloorOptions = {}) {
  return createFloor("latest-change", (_, tools) => guessFrom(tools), options);
}

async function guessFrom(tools: Toolset): Promise<Guess> {
  const query = `${STARTED} > scalar(min(${STARTED})) + ${START_UP_SECONDS}`;
  const record = await tools.call("promql", { query });
  const [last] = factsOf(record).toSorted((a, b) => Number(b.value) - Number(a.value));
  if (last === undefined || last.service === null || !isServiceName(last.service)) {
    return {
      culprit: null,
      faultClass: "none",
      mechanism: "No service was started after the others.",
      confidence: 0.1,
    };
  }
  const { service, value } = last;
  const claim = `${service} was started last`;
  return {
    culprit: service,
    faultClass: "bad_configuration",
    mechanism: `${claim}, so it is what changed.`,
    confidence: 0.2,
    evidence: [{ call_id: record.id, signal: STARTED, service, value, claim }],
  };
}
