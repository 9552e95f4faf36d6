import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { muteAlerts, nothingArrives, refused } from "../signs.ts";

export const kind = defineKind({
  title: "The writer of $service offers best effort to readers that ask for reliability",
  faultClass: "qos_mismatch",
  dds: true,
  heldOut: true,
  changes: "process",
  targets: ["track-fusion", "threat-evaluator", "command-center", "effector-manager"],
  intensity: null,
  fault: (service) => replaceService({ service, env: { CMS_FORCE_QOS: "BEST_EFFORT_KEEP_LAST" } }),
  signature: (service) => [
    refused(service, "writer", "RELIABILITY|DURABILITY"),
    nothingArrives(service),
  ],
  alerts: muteAlerts,
});
