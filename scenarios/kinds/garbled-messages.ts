import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { partlyTakenIn, pictureAlerts, refusedTracks, SENSORS } from "../signs.ts";

export const kind = defineKind({
  title: "A share of $amount of what $service writes is rubbish: ids and places that do not exist",
  faultClass: "data_quality",
  dds: true,
  changes: "process",
  targets: SENSORS,
  intensity: { unit: "share of the messages", min: 0.5, max: 1 },
  fault: (service, share) => replaceService({ service, env: { CMS_OUTPUT: `garbled:${share}` } }),
  signature: (service) => [refusedTracks("unknown_sensor"), partlyTakenIn(service)],
  alerts: pictureAlerts,
});
