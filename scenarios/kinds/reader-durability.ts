import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { deafAlerts, refused, takesNothingIn } from "../signs.ts";

export const kind = defineKind({
  title: "The reader of $service asks for a history that its writers do not keep",
  faultClass: "qos_mismatch",
  dds: true,
  heldOut: true,
  changes: "process",
  // Orders are retained, so effector-manager would match.
  targets: ["track-fusion", "threat-evaluator", "command-center"],
  intensity: null,
  fault: (service) =>
    replaceService({ service, env: { CMS_READER_QOS: "RELIABLE_TRANSIENT_LOCAL" } }),
  signature: (service) => [
    refused(service, "reader", "DURABILITY|RELIABILITY"),
    takesNothingIn(service),
  ],
  alerts: deafAlerts,
});
