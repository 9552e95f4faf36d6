import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { partlyTakenIn, pictureAlerts, refusedTracks, SENSORS } from "../signs.ts";

export const kind = defineKind({
  title: "A share of $amount of the positions of $service is not a number",
  faultClass: "data_quality",
  changes: "process",
  targets: SENSORS,
  intensity: { unit: "share of the messages", min: 0.7, max: 1 },
  fault: (service, share) =>
    replaceService({ service, env: { CMS_OUTPUT: `not_a_number:${share}` } }),
  signature: (service) => [refusedTracks("not_finite"), partlyTakenIn(service)],
  alerts: pictureAlerts,
});
