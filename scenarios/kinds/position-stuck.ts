import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { noTrackRefused, pictureAlerts, SENSORS } from "../signs.ts";

export const kind = defineKind({
  title: "$service repeats the first position of each target for ever",
  faultClass: "data_quality",
  heldOut: true,
  changes: "process",
  targets: SENSORS,
  intensity: null,
  fault: (service) => replaceService({ service, env: { CMS_OUTPUT: "position_held:1" } }),
  signature: () => [
    {
      what: "tracks",
      query: 'max_over_time(cms_fusion_active_tracks{job="cms-services"}[15s])',
      op: ">",
      value: 3,
      shows: { kind: "metric", signal: "cms_fusion_active_tracks", service: "track-fusion" },
    },
    noTrackRefused,
  ],
  alerts: pictureAlerts,
  // The targets must move away from their positions.
  deadlines: { signatureMs: 150_000, alertMs: 300_000 },
});
