import { allOf } from "../conditions.ts";
import { defineScenario } from "../define.ts";
import { stopProcess } from "../faults/stop-process.ts";
import { truth } from "./truth.ts";

export const scenario = defineScenario({
  title: "The radar's process ends",
  fault: stopProcess({ service: "radar-sensor" }),
  signature: {
    describe: "radar-sensor has exited with code 0, and its scrape fails",
    holds: allOf(
      {
        what: "exited",
        query: 'container_state{name="radar-sensor",state="exited"}',
        op: "==",
        value: 1,
      },
      { what: "exit code", query: 'container_exit_code{name="radar-sensor"}', op: "==", value: 0 },
      {
        what: "up",
        query: 'up{job="cms-services",instance="radar-sensor:9101"}',
        op: "==",
        value: 0,
      },
    ),
  },
  alert: { uid: "sensor-down", labels: { instance: "radar-sensor:9101" } },
  metric: {
    title: "Source tracks per second from RADAR-1",
    query: 'sum(rate(cms_sensor_published_total{job="cms-services",sensor_id="RADAR-1"}[10s]))',
  },
  truth,
});
