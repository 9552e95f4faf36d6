import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { partlyTakenIn, pictureAlerts, refusedTracks, SENSORS } from "../signs.ts";

export const kind = defineKind({
  title: "The clock of $service is $amount s behind the others",
  faultClass: "clock_skew",
  alsoAccept: [{ fault_class: "data_quality", why: "time stamps are content" }],
  dds: true,
  heldOut: true,
  changes: "process",
  targets: SENSORS,
  intensity: { unit: "s", min: 60, max: 3600 },
  fault: (service, seconds) =>
    replaceService({ service, env: { CMS_OUTPUT: `time_offset:-${seconds}` } }),
  signature: (service) => [refusedTracks("too_old"), partlyTakenIn(service)],
  alerts: pictureAlerts,
});
