import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { noTrackRefused, pictureAlerts, SENSORS } from "../signs.ts";

export const kind = defineKind({
  title: "The positions that $service measures scatter by $amount m more",
  faultClass: "data_quality",
  changes: "process",
  targets: SENSORS,
  intensity: { unit: "m, one standard deviation", min: 6000, max: 60_000 },
  fault: (service, metres) =>
    replaceService({ service, env: { CMS_OUTPUT: `position_noise:${metres}` } }),
  signature: () => [
    {
      what: "contributors changed/s or tracks beyond six",
      query:
        'sum(changes(cms_fusion_active_tracks{job="cms-services"}[15s])) + clamp_min(max(cms_fusion_active_tracks{job="cms-services"}) - 6, 0)',
      op: ">",
      value: 0,
      shows: { kind: "metric", signal: "cms_fusion_active_tracks", service: "track-fusion" },
    },
    noTrackRefused,
  ],
  alerts: pictureAlerts,
});
