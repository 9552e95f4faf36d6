import { allOf } from "../conditions.ts";
import { defineScenario } from "../define.ts";
import { replaceService } from "../faults/replace-service.ts";
import { truth } from "./truth.ts";

export const scenario = defineScenario({
  title: "Control: a harmless change that looks suspicious",
  control: true,
  fault: replaceService({
    service: "esm-sensor",
    // A reliable writer still matches the best-effort readers, and 6 Hz is a normal load.
    env: { CMS_FORCE_QOS: "RELIABLE_KEEP_LAST", PUBLISH_RATE_HZ: "6" },
    // The downtime makes fusion drop the sensor once, as a slow restart does.
    awayUntil: 'sum(increase(cms_fusion_contributors_changed_total{change="removed"}[1m]))',
  }),
  signature: {
    describe: "ESM-2 publishes at its new rate, all of it arrives, and no QoS mismatch is reported",
    holds: allOf(
      {
        what: "ingested/s",
        // Three targets, 90 % detection: 13.5 at 5 Hz and 16.2 at 6 Hz, with a standard deviation
        // of 0.3 over 20 s.
        query: 'sum(rate(cms_fusion_ingested_total{job="cms-services",sensor_id="ESM-2"}[20s]))',
        op: ">",
        value: 14.8,
      },
      {
        what: "refused",
        query: 'sum(cms_dds_incompatible_qos_total{job="cms-services"}) or vector(0)',
        op: "==",
        value: 0,
      },
    ),
  },
  alert: { uid: "fusion-contributors-dropped", labels: {} },
  metric: {
    title: "Source tracks per second that fusion gets from ESM-2",
    query: 'sum(rate(cms_fusion_ingested_total{job="cms-services",sensor_id="ESM-2"}[10s]))',
  },
  truth,
});
