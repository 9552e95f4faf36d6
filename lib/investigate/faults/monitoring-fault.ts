/** A service that works, but one of its two telemetry paths fails: scraping or pushing. */
import { must } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";
import { RECEIVED, running, SILENT_BYTES_PER_SECOND } from "../hypotheses/shared-claims.ts";

/** A service pushes every few seconds. */
const RECENT = "[25s]";
const pushes = (selector: string): string =>
  `max by (service_name) (count_over_time(otlp_cms_dds_matched_endpoints${selector}${RECENT}))`;
const named = (selector: string): string =>
  `label_replace(up{job="cms-services"${selector}}, "service_name", "$1", "instance", "(.+):.+")`;

/**
 * One per service that answers scrapes but pushes nothing, or vice versa. If no service pushes, the
 * fault is elsewhere.
 */
const differing = (service: string): string => {
  const up = named(service === "" ? "" : `,instance=~"${service}:.+"`);
  const pushing = pushes(service === "" ? "" : `{service_name="${service}"}`);
  const one = `(${up} == 1 unless on (service_name) ${pushing}) or (${up} == 0 and on (service_name) ${pushing})`;
  return `(${one}) and on () count(${pushes("")}) > 0`;
};

export const fault: Fault = {
  entails: [
    running,
    must({
      claim: "it answers scrapes or pushes its telemetry, but not both",
      signal: "up",
      promql: `count(${differing("$service")}) or vector(0)`,
      holds: { op: "==", value: 1 },
    }),
    must({
      claim: "its peers still reach its interface",
      signal: "container_network_receive_bytes_total",
      promql: RECEIVED,
      holds: { op: ">", value: SILENT_BYTES_PER_SECOND },
    }),
  ],
  absent: must({
    claim: "every service is both scraped and heard",
    signal: "up",
    promql: `count(${differing("")}) or vector(0)`,
    holds: { op: "==", value: 0 },
    culprits: differing(""),
  }),
  states: ["unreachable", "working"],
  words:
    /monitoring (fault|gap|failure|is broken)|scrape (is )?(broken|misconfigured)|telemetry (is )?lost/i,
};
