import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { muteAlerts, pictureAlerts, trackAge } from "../signs.ts";

export const kind = defineKind({
  title: "$service sends each message $amount s after it was made",
  faultClass: "slow_publisher",
  alsoAccept: [{ fault_class: "packet_loss_or_delay", why: "the messages are late" }],
  dds: true,
  changes: "process",
  // Fusion refuses late messages of sensors, which is the fault of a slow clock.
  targets: ["track-fusion"],
  intensity: { unit: "s", min: 3, max: 10 },
  fault: (service, seconds) =>
    replaceService({ service, env: { CMS_OUTPUT: `delayed:${seconds}` } }),
  signature: (_, seconds) => [trackAge(">", seconds / 2)],
  alerts: (service) => [...pictureAlerts(), ...muteAlerts(service)],
});
