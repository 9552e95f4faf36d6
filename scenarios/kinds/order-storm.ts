import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { arrivedQuery, sentQuery } from "../signs.ts";

export const kind = defineKind({
  title: "$service sends each order $amount times more",
  faultClass: "message_flood",
  dds: true,
  alone: true,
  changes: "process",
  targets: ["command-center"],
  intensity: { unit: "further copies", min: 50, max: 900, whole: true },
  fault: (service, copies) =>
    replaceService({ service, env: { CMS_OUTPUT: `repeated:${copies}` } }),
  signature: (service) => [
    {
      what: "orders that arrive for each that is issued",
      query: `${arrivedQuery(service)} / ${sentQuery(service)}`,
      op: ">",
      value: 10,
    },
    {
      what: "orders/s at the display",
      query: arrivedQuery(service),
      op: ">",
      value: 2,
      shows: {
        kind: "metric",
        signal: "cms_display_received_total",
        labels: { topic: "MissionOrderTopic" },
        as: "rate",
      },
    },
  ],
  alerts: () => [],
});
