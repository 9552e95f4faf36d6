import { SERVICES } from "../../lib/contract/topology.ts";
import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { scraped } from "../signs.ts";

export const kind = defineKind({
  title: "A new $service pushes its telemetry to port $amount, where nobody listens",
  faultClass: "monitoring_fault",
  alsoAccept: [
    { culprit: "telemetry", why: "the service itself works" },
    { fault_class: "bad_configuration", why: "the address is a setting" },
  ],
  remedies: ["correct_configuration", "restore_monitoring"],
  changes: "process",
  targets: SERVICES,
  intensity: { unit: "port", min: 2, max: 999, whole: true },
  fault: (service, port) =>
    replaceService({
      service,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` },
    }),
  signature: (service) => [
    {
      what: "pushes",
      query: `count(otlp_cms_dds_matched_endpoints{service_name="${service}"}) or vector(0)`,
      op: "==",
      value: 0,
    },
    {
      what: "dropped/s",
      query: `sum(rate(cms_telemetry_dropped_total{job="cms-services",instance=~"${service}:.+"}[30s]))`,
      op: ">",
      value: 0,
      shows: { kind: "metric", signal: "cms_telemetry_dropped_total", as: "rate", service },
    },
    scraped(service, 1),
  ],
  // A pushed series remains for two minutes after its last sample.
  deadlines: { signatureMs: 210_000, alertMs: 330_000 },
  alerts: (service) => [{ uid: "telemetry-missing", labels: { service_name: service } }],
});
