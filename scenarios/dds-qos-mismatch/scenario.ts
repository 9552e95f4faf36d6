import { allOf } from "../conditions.ts";
import { defineScenario } from "../define.ts";
import { replaceService } from "../faults/replace-service.ts";
import { truth } from "./truth.ts";

export const scenario = defineScenario({
  title: "The ESM sensor offers a QoS that no reader accepts",
  fault: replaceService({
    service: "esm-sensor",
    env: { CMS_FORCE_QOS: "EXCLUSIVE_OWNERSHIP" },
  }),
  signature: {
    describe: "a QoS mismatch is reported by OWNERSHIP; ESM-2 publishes, but fusion gets nothing",
    holds: allOf(
      {
        what: "refused by ownership",
        query:
          'sum(cms_dds_incompatible_qos_total{job="cms-services",instance="esm-sensor:9102",policy="OWNERSHIP"})',
        op: ">",
        value: 0,
      },
      {
        what: "published/s",
        query: 'sum(rate(cms_sensor_published_total{job="cms-services",sensor_id="ESM-2"}[10s]))',
        op: ">",
        value: 5,
      },
      {
        what: "ingested/s",
        query: 'sum(rate(cms_fusion_ingested_total{job="cms-services",sensor_id="ESM-2"}[10s]))',
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
