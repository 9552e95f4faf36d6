/**
 * What is out of order without a class that explains it: flows of messages that changed far more
 * than chance, and claims about a healthy system that a service breaks.
 */
import type { Citation } from "../../contract/answer.ts";
import { NORMS } from "../../contract/norms.ts";
import { SERVICES, type ServiceName, TOPOLOGY, upstreamOf } from "../../contract/topology.ts";
import { shortNumber } from "../harmless.ts";
import type { Call, Fact, Toolbox } from "../toolbox.ts";
import { limited } from "./citations.ts";
import { anomalyText, findAnomalies } from "./refute.ts";

/** Counters of messages. */
const FLOW = /^cms_\w+_(published|ingested|received|evaluated)_total$/;

export interface Oddity {
  readonly service: ServiceName;
  readonly text: string;
  readonly citation: Citation;
}

/** Everything that is out of order, given the calls with which the investigation began. */
export async function findOddities(calls: readonly Call[], tools: Toolbox): Promise<Oddity[]> {
  const broken = (await findAnomalies(tools)).map((anomaly): Oddity => {
    const { service, fact, callId, claim } = anomaly;
    return { service, text: anomalyText(anomaly), citation: citationOf(fact, callId, claim) };
  });
  return [...broken, ...calls.flatMap(changedFlows)];
}

/**
 * The service where the anomaly begins: the one that is out of order while nothing upstream of it
 * is. Null when there are several.
 */
export function originOf(oddities: readonly Oddity[]): ServiceName | null {
  const odd = new Set(oddities.map(({ service }) => service));
  const first = [...odd].filter((name) => !upstreamOfAll(name).some((other) => odd.has(other)));
  const [only, second] = first;
  return only !== undefined && second === undefined ? only : null;
}

/** The alerts that fire, by the call that asked for them. */
export const firing = (calls: readonly Call[]): Fact[] =>
  calls.flatMap(({ facts }) =>
    facts.filter(({ signal, value }) => signal === "ALERTS" && value === "firing"),
  );

function upstreamOfAll(service: ServiceName): ServiceName[] {
  const found = new Set<ServiceName>();
  const queue = [service];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const fed of upstreamOf(next)) {
      if (!found.has(fed)) queue.push(fed);
      found.add(fed);
    }
  }
  return SERVICES.filter((name) => name !== service && found.has(name));
}

interface Flow {
  before: number;
  during: number;
  last?: Fact;
}

/** Flows of a service, or of one of its senders, that changed by more than the norm. */
function changedFlows(call: Call): Oddity[] {
  const flows = new Map<string, Flow>();
  for (const fact of call.facts) {
    const { signal, service, labels, value, when } = fact;
    if (service === null || !FLOW.test(signal)) continue;
    if (when !== "before" && when !== "during") continue;
    const key = [signal, service, labels["sensor_id"] ?? ""].join();
    const flow = flows.get(key) ?? { before: 0, during: 0 };
    flow[when] += Number(value);
    flow.last = fact;
    flows.set(key, flow);
  }
  return [...flows.values()].flatMap(({ before, during, last }) =>
    last !== undefined && last.service !== null && isOutOfOrder(before, during)
      ? [oddityOf(last, last.service, call, [before, during])]
      : [],
  );
}

function isOutOfOrder(before: number, during: number): boolean {
  const [small, large] = before < during ? [before, during] : [during, before];
  return large >= NORMS.flowRate.value && large >= NORMS.flowRatio.value * small;
}

function oddityOf(
  fact: Fact,
  owner: ServiceName,
  call: Call,
  [before, during]: readonly [number, number],
): Oddity {
  const { signal, labels } = fact;
  // What was taken in tells of the sender.
  const sender = SERVICES.find((name) => {
    const { sensorId } = TOPOLOGY[name];
    return sensorId !== undefined && sensorId === labels["sensor_id"];
  });
  const service = sender ?? owner;
  const text = `${signal} of ${owner} went from ${shortNumber(before)} to ${shortNumber(during)} per second`;
  return { service, text, citation: citationOf(fact, call.id, text) };
}

const citationOf = ({ signal, service, value }: Fact, callId: string, claim: string): Citation => ({
  call_id: callId,
  signal,
  service,
  value: limited(value),
  claim: claim.slice(0, 500),
});
