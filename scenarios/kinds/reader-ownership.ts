import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { deafAlerts, READERS, refused, takesNothingIn } from "../signs.ts";

export const kind = defineKind({
  title: "The readers of $service ask for exclusive ownership, which no writer offers",
  faultClass: "qos_mismatch",
  dds: true,
  changes: "process",
  targets: READERS,
  intensity: null,
  fault: (service) => replaceService({ service, env: { CMS_READER_QOS: "EXCLUSIVE_OWNERSHIP" } }),
  signature: (service) => [refused(service, "reader", "OWNERSHIP"), takesNothingIn(service)],
  alerts: deafAlerts,
});
