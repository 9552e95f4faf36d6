/**
 * Anomalies that no class explains: flows of messages that changed far more than chance, and claims
 * about a healthy system that a service breaks.
 */
import type { Citation } from "../../contract/answer.ts";
import { NORMS } from "../../contract/norms.ts";
import { SERVICES, type ServiceName, TOPOLOGY, upstreamOf } from "../../contract/topology.ts";
import { shortNumber } from "../harmless.ts";
import type { Call, Fact, Toolbox } from "../toolbox.ts";
import { limited } from "./citations.ts";
import { anomalyText, findAnomalies } from "./refute.ts";
import { NOMINAL_LOAD_HZ } from "./shared-claims.ts";

/** Counters of messages. */
const FLOW = /^cms_\w+_(published|ingested|received|evaluated)_total$/;

export interface Oddity {
  readonly service: ServiceName;
  readonly text: string;
  readonly citation: Citation;
}

/** All anomalies, given the first calls of the investigation. */
export async function findOddities(calls: readonly Call[], tools: Toolbox): Promise<Oddity[]> {
  const broken = (await findAnomalies(tools)).map((anomaly): Oddity => {
    const { service, fact, callId, claim } = anomaly;
    return { service, text: anomalyText(anomaly), citation: citationOf(fact, callId, claim) };
  });
  const flows: Oddity[] = [];
  for (const flow of calls.flatMap(changedFlows)) {
    if (await isStillOutOfOrder(flow, tools)) flows.push(oddityOf(flow));
  }
  return [...broken, ...flows];
}

/** Window of a rate that shows the present, and not an outage that has just ended, seconds. */
const RECENT_SECONDS = 15;

/** The rates of `compare` cover half a minute: after a recovery they are still too low. */
async function isStillOutOfOrder(flow: Flow, tools: Toolbox): Promise<boolean> {
  const { signal, labels } = flow.last;
  const sender = labels["sensor_id"];
  const selector = [
    'job="cms-services"',
    `instance=~"${flow.owner}:.+"`,
    ...(sender === undefined ? [] : [`sensor_id="${sender}"`]),
  ].join();
  const query = `sum(rate(${signal}{${selector}}[${RECENT_SECONDS}s]))`;
  const recent = Number((await tools.call("promql", { query })).facts[0]?.value ?? flow.during);
  return isOutOfOrder(flow, recent);
}

/**
 * The service where the anomalies begin: the only one with an anomaly and none upstream. Null when
 * there are several.
 */
export function originOf(oddities: readonly Oddity[]): ServiceName | null {
  const odd = new Set(oddities.map(({ service }) => service));
  const first = [...odd].filter((name) => !upstreamOfAll(name).some((other) => odd.has(other)));
  const [only, second] = first;
  return only !== undefined && second === undefined ? only : null;
}

/** The firing alerts. */
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

/** Messages per second of one service, or of one of its senders, before and during the incident. */
interface Flow {
  readonly owner: ServiceName;
  readonly call: Call;
  readonly last: Fact;
  readonly before: number;
  readonly during: number;
}

/** The flows that changed by more than the norm. */
function changedFlows(call: Call): Flow[] {
  const flows = new Map<string, Flow>();
  for (const fact of call.facts) {
    const { signal, service: owner, labels, value, when } = fact;
    if (owner === null || !FLOW.test(signal)) continue;
    if (when !== "before" && when !== "during") continue;
    const key = [signal, owner, labels["sensor_id"] ?? ""].join();
    const sum = flows.get(key) ?? { before: 0, during: 0 };
    flows.set(key, { ...sum, owner, call, last: fact, [when]: sum[when] + Number(value) });
  }
  return [...flows.values()].filter((flow) => isOutOfOrder(flow, flow.during));
}

/**
 * A flow may fall relative to its rate before the incident. It may rise only relative to its
 * nominal rate, because "before" can be the system's start-up, when flows are slow.
 */
function isOutOfOrder(flow: Flow, now: number): boolean {
  const { flowRate, flowRatio } = NORMS;
  const { before } = flow;
  if (before >= flowRate.value && before >= flowRatio.value * now) return true;
  const nominal = nominalOf(flow);
  return nominal !== undefined && now >= flowRatio.value * Math.max(before, nominal);
}

/** The nominal rate of a flow: its sender's; for fusion's output that of all sensors. */
function nominalOf(flow: Flow): number | undefined {
  if (flow.last.signal === "cms_fusion_published_total") return NOMINAL_LOAD_HZ;
  return TOPOLOGY[senderOf(flow) ?? flow.owner].nominalRateHz;
}

/** The sensor that a flow comes from, by its label. */
const senderOf = ({ last: { labels } }: Flow): ServiceName | undefined =>
  SERVICES.find((name) => {
    const { sensorId } = TOPOLOGY[name];
    return sensorId !== undefined && sensorId === labels["sensor_id"];
  });

function oddityOf(flow: Flow): Oddity {
  const { owner, call, last, before, during } = flow;
  const text = `${last.signal} of ${owner} went from ${shortNumber(before)} to ${shortNumber(during)} per second`;
  // The sender is responsible for the messages that a service receives.
  return { service: senderOf(flow) ?? owner, text, citation: citationOf(last, call.id, text) };
}

const citationOf = ({ signal, service, value }: Fact, callId: string, claim: string): Citation => ({
  call_id: callId,
  signal,
  service,
  value: limited(value),
  claim: claim.slice(0, 500),
});
