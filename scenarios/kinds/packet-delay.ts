import { delayPackets } from "../faults/network-rule.ts";
import { defineKind } from "../kind.ts";
import { alertsNamed, SENSORS, trackAge } from "../signs.ts";

export const kind = defineKind({
  title: "What $service sends takes $amount ms longer, give or take a third",
  faultClass: "packet_loss_or_delay",
  changes: "network",
  targets: SENSORS,
  intensity: { unit: "ms", min: 500, max: 5000, whole: true },
  fault: (service, delayMs) => delayPackets(service, delayMs, Math.round(delayMs / 3)),
  signature: (_, delayMs) => [trackAge(">", delayMs / 2000)],
  alerts: () => alertsNamed("picture-late"),
});
