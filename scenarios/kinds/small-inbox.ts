import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { alertsNamed } from "../signs.ts";

const INGESTED = 'sum(rate(cms_fusion_ingested_total{job="cms-services"}[20s]))';
const PUBLISHED = 'sum(rate(cms_sensor_published_total{job="cms-services"}[20s]))';

export const kind = defineKind({
  title: "The inbox of $service holds $amount source track(s), and drops the rest of each scan",
  faultClass: "downstream_backpressure",
  alsoAccept: [{ fault_class: "bad_configuration", why: "its capacity is a setting" }],
  changes: "process",
  targets: ["track-fusion"],
  intensity: { unit: "source tracks", min: 1, max: 2, whole: true },
  fault: (service, capacity) =>
    replaceService({ service, env: { CMS_INBOX_CAPACITY: String(capacity) } }),
  signature: (service) => [
    {
      what: "share taken in",
      query: `${INGESTED} / ${PUBLISHED}`,
      op: "<",
      value: 0.85,
    },
    {
      what: "warnings",
      query: `sum(increase(cms_log_records_total{job="cms-services",instance="track-fusion:9104",level="WARN"}[2m]))`,
      op: ">",
      value: 0,
      shows: {
        kind: "metric",
        signal: "cms_log_records_total",
        labels: { level: "WARN" },
        service,
      },
    },
    {
      what: "lost/s",
      query:
        'sum(rate(cms_dds_samples_lost_total{job="cms-services",topic="SourceTrackTopic"}[20s]))',
      op: "<",
      value: 1,
    },
  ],
  alerts: () => alertsNamed("fusion-contributors-dropped", "tactical-tracks-collapsed"),
});
