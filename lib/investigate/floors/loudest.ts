/**
 * `loudest`: blames the service of the alert, with the class whose name is nearest to that of the
 * metric with the largest change.
 */
import { factsOf } from "../../contract/citation.ts";
import type { FaultClass } from "../../contract/fault-classes.ts";
import { isServiceName } from "../../contract/topology.ts";
import type { InvestigationInput } from "../investigator.ts";
import type { Toolset } from "../tools/toolset.ts";
import { createFloor, type FloorOptions, type Guess } from "./floor.ts";

/** The first pattern that the metric's name matches names the class. */
const CLASS_BY_NAME: readonly (readonly [RegExp, FaultClass])[] = [
  [/oom/, "oom_kill"],
  [/start_time/, "crash_loop"],
  [/state|exit|stopping|last_seen/, "process_exited"],
  [/throttled|quota|cpu/, "cpu_starvation"],
  [/memory/, "memory_leak"],
  [/incompatible/, "qos_mismatch"],
  [/matched/, "discovery_failure"],
  [/lost|rejected/, "packet_loss_or_delay"],
  [/network|^up$/, "network_partition"],
  [/queue/, "downstream_backpressure"],
  [/published|received|ingested|_total$/, "message_flood"],
  [/seconds|lag|duration/, "hang"],
];
const OTHERWISE: FaultClass = "data_quality";
const MAX_VALUE_CHARACTERS = 300;

export const loudest = createLoudest();

export function createLoudest(options: FloorOptions = {}) {
  return createFloor("loudest", guessFrom, options);
}

/** The class whose name is nearest to a signal's name. */
export const classNearest = (signal: string): FaultClass =>
  CLASS_BY_NAME.find(([pattern]) => pattern.test(signal))?.[1] ?? OTHERWISE;

async function guessFrom({ alert }: InvestigationInput, tools: Toolset): Promise<Guess> {
  const culprit = alert.pipeline_name;
  const record = await tools.call("compare", { service: culprit });
  const loud = factsOf(record).find(({ when }) => when === "during");
  if (loud === undefined) {
    return { culprit: null, faultClass: "none", mechanism: "Nothing changed.", confidence: 0.1 };
  }
  const { signal, service, value } = loud;
  const mechanism = `${signal} changed most.`;
  const citation = {
    call_id: record.id,
    signal,
    service: service !== null && isServiceName(service) ? service : null,
    value: typeof value === "string" ? value.slice(0, MAX_VALUE_CHARACTERS) : value,
    claim: mechanism,
  };
  const faultClass = classNearest(signal);
  return { culprit, faultClass, mechanism, confidence: 0.2, evidence: [citation] };
}
