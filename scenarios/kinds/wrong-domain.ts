import { SERVICES } from "../../lib/contract/topology.ts";
import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { deafAlerts, matches, muteAlerts, nothingRefused, scraped } from "../signs.ts";

export const kind = defineKind({
  title: "$service joins the DDS domain $amount, where nobody else is",
  faultClass: "discovery_failure",
  dds: true,
  changes: "process",
  targets: SERVICES,
  intensity: { unit: "DDS domain", min: 1, max: 100, whole: true },
  fault: (service, domain) => replaceService({ service, env: { CMS_DDS_DOMAIN: String(domain) } }),
  signature: (service) => [matches(service, "==", 0), nothingRefused(service), scraped(service, 1)],
  alerts: (service) => [...deafAlerts(service), ...muteAlerts(service)],
});
