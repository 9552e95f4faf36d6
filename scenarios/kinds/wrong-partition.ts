import { SERVICES } from "../../lib/contract/topology.ts";
import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { deafAlerts, instanceOf, matches, muteAlerts, scraped } from "../signs.ts";

export const kind = defineKind({
  title: "The endpoints of $service are in a DDS partition of their own",
  faultClass: "discovery_failure",
  // Cyclone DDS 0.10 counts it as incompatible QoS; 11 does not.
  alsoAccept: [{ fault_class: "qos_mismatch", why: "a partition is a QoS policy" }],
  remedies: ["correct_dds_domain", "correct_qos_profile"],
  dds: true,
  changes: "process",
  targets: SERVICES,
  intensity: null,
  fault: (service) => replaceService({ service, env: { CMS_DDS_PARTITION: "north" } }),
  signature: (service) => [
    {
      what: "refused by partition",
      query: `sum(cms_dds_incompatible_qos_total{job="cms-services",instance="${instanceOf(service)}",policy=~"PARTITION.*"})`,
      op: ">",
      value: 0,
      shows: { kind: "dds", signal: "cms_dds_incompatible_qos_total" },
    },
    matches(service, "==", 0),
    scraped(service, 1),
  ],
  alerts: (service) => [...deafAlerts(service), ...muteAlerts(service)],
});
