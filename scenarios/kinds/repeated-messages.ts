import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { sensorOf, SENSORS } from "../signs.ts";

export const kind = defineKind({
  title: "$service sends each source track $amount times more",
  faultClass: "message_flood",
  alsoAccept: [{ fault_class: "data_quality", why: "the copies have no news" }],
  dds: true,
  alone: true,
  changes: "process",
  targets: SENSORS,
  intensity: { unit: "further copies", min: 2, max: 30, whole: true },
  fault: (service, copies) =>
    replaceService({ service, env: { CMS_OUTPUT: `repeated:${copies}` } }),
  signature: (service) => {
    const of = `job="cms-services",sensor_id="${sensorOf(service)}"`;
    return [
      {
        what: "taken in for each that it counts",
        query: `sum(rate(cms_fusion_ingested_total{${of}}[20s])) / sum(rate(cms_sensor_published_total{${of}}[20s]))`,
        op: ">",
        value: 1.5,
      },
      {
        what: "published for each that is counted",
        query:
          'sum(rate(cms_fusion_published_total{job="cms-services"}[20s])) / sum(rate(cms_sensor_published_total{job="cms-services"}[20s]))',
        op: ">",
        value: 1.15,
        shows: { kind: "metric", signal: "cms_fusion_published_total", as: "rate" },
      },
    ];
  },
  alerts: () => [],
});
