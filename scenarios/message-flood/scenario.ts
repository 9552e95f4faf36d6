import { allOf } from "../conditions.ts";
import { defineScenario } from "../define.ts";
import { replaceService } from "../faults/replace-service.ts";
import { truth } from "./truth.ts";

export const scenario = defineScenario({
  title: "The radar publishes twenty times too much",
  fault: replaceService({ service: "radar-sensor", env: { PUBLISH_RATE_HZ: "200" } }),
  signature: {
    describe:
      "RADAR-1 publishes more than 100 source tracks per second, the others their usual rate",
    holds: allOf(
      {
        what: "RADAR-1/s",
        query: 'sum(rate(cms_sensor_published_total{job="cms-services",sensor_id="RADAR-1"}[10s]))',
        op: ">",
        value: 100,
      },
      {
        what: "others/s",
        query:
          'sum(rate(cms_sensor_published_total{job="cms-services",sensor_id!="RADAR-1"}[10s]))',
        op: "<",
        value: 40,
      },
    ),
  },
  alert: { uid: "sensor-flood", labels: { sensor_id: "RADAR-1" } },
  metric: {
    title: "Source tracks per second from RADAR-1",
    query: 'sum(rate(cms_sensor_published_total{job="cms-services",sensor_id="RADAR-1"}[10s]))',
    threshold: 100,
  },
  truth,
});
