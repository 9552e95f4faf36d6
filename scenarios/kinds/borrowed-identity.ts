import { SENSOR_IDS, type ServiceName } from "../../lib/contract/topology.ts";
import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { alertsNamed, sends, sensorOf, SENSORS } from "../signs.ts";

/** Index of the sensor whose id it writes: the next one. */
const place = (service: ServiceName): number =>
  (SENSOR_IDS.findIndex((id) => id === sensorOf(service)) + 1) % SENSOR_IDS.length;

export const kind = defineKind({
  title: "$service writes its source tracks under the id of another sensor",
  faultClass: "bad_configuration",
  alsoAccept: [{ fault_class: "data_quality", why: "the id is part of the message" }],
  dds: true,
  changes: "process",
  targets: SENSORS,
  intensity: null,
  fault: (service) =>
    replaceService({ service, env: { CMS_OUTPUT: `foreign_sensor:${place(service)}` } }),
  signature: (service) => {
    const other = SENSOR_IDS[place(service)];
    const ingested = (id: string): string =>
      `sum(rate(cms_fusion_ingested_total{job="cms-services",sensor_id="${id}"}[20s]))`;
    return [
      {
        what: `${other} taken in for each that it sent`,
        query: `${ingested(other ?? "")} / sum(rate(cms_sensor_published_total{job="cms-services",sensor_id="${other}"}[20s]))`,
        op: ">",
        value: 1.08,
      },
      {
        what: "its own taken in/s",
        query: ingested(sensorOf(service)),
        op: "==",
        value: 0,
        shows: {
          kind: "metric",
          signal: "cms_fusion_ingested_total",
          labels: { sensor_id: sensorOf(service) },
          as: "rate",
        },
      },
      sends(service),
    ];
  },
  alerts: () => alertsNamed("fusion-contributors-dropped"),
});
