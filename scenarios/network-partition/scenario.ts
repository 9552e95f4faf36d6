import { allOf } from "../conditions.ts";
import { defineScenario } from "../define.ts";
import { detachNetwork } from "../faults/detach-network.ts";
import { truth } from "./truth.ts";

export const scenario = defineScenario({
  title: "The ESM sensor is cut off the network",
  fault: detachNetwork({ service: "esm-sensor" }),
  signature: {
    describe: "esm-sensor's process runs, but its scrape fails",
    holds: allOf(
      {
        what: "running",
        query: 'container_state{name="esm-sensor",state="running"}',
        op: "==",
        value: 1,
      },
      {
        what: "up",
        query: 'up{job="cms-services",instance="esm-sensor:9102"}',
        op: "==",
        value: 0,
      },
    ),
  },
  alert: { uid: "sensor-down", labels: { instance: "esm-sensor:9102" } },
  metric: {
    title: "Source tracks per second that fusion gets from ESM-2",
    query: 'sum(rate(cms_fusion_ingested_total{job="cms-services",sensor_id="ESM-2"}[10s]))',
  },
  truth,
});
