import { allOf } from "../conditions.ts";
import { defineScenario } from "../define.ts";
import { stopProcess } from "../faults/stop-process.ts";
import { truth } from "./truth.ts";

export const scenario = defineScenario({
  title: "Control: the alert has resolved before anyone looks",
  control: true,
  fault: stopProcess({ service: "eo-sensor" }),
  signature: {
    describe: "eo-sensor has exited, and its scrape fails",
    holds: allOf(
      {
        what: "exited",
        query: 'container_state{name="eo-sensor",state="exited"}',
        op: "==",
        value: 1,
      },
      {
        what: "up",
        query: 'up{job="cms-services",instance="eo-sensor:9103"}',
        op: "==",
        value: 0,
      },
    ),
  },
  alert: { uid: "sensor-down", labels: { instance: "eo-sensor:9103" } },
  investigate: "after-resolved",
  metric: {
    title: "Source tracks per second from EO-3",
    query: 'sum(rate(cms_sensor_published_total{job="cms-services",sensor_id="EO-3"}[10s]))',
  },
  truth,
});
