import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { muteAlerts, nothingArrives, refused, WRITERS } from "../signs.ts";

export const kind = defineKind({
  title: "The writer of $service offers exclusive ownership, which no reader accepts",
  faultClass: "qos_mismatch",
  dds: true,
  changes: "process",
  targets: WRITERS,
  intensity: null,
  fault: (service) => replaceService({ service, env: { CMS_FORCE_QOS: "EXCLUSIVE_OWNERSHIP" } }),
  // DDS reports one of the incompatible policies; orders and tracks also require reliability.
  signature: (service) => [
    refused(service, "writer", "OWNERSHIP|RELIABILITY|DURABILITY"),
    nothingArrives(service),
  ],
  alerts: muteAlerts,
});
