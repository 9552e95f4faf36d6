import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { noTrackRefused, pictureAlerts, SENSORS } from "../signs.ts";

export const kind = defineKind({
  title: "Every position that $service measures is $amount m too far east",
  faultClass: "data_quality",
  changes: "process",
  targets: SENSORS,
  intensity: { unit: "m", min: 8000, max: 60_000 },
  fault: (service, metres) =>
    replaceService({ service, env: { CMS_OUTPUT: `position_offset:${metres}` } }),
  signature: () => [
    {
      what: "tracks",
      query: 'min_over_time(cms_fusion_active_tracks{job="cms-services"}[15s])',
      op: ">",
      value: 3,
      shows: { kind: "metric", signal: "cms_fusion_active_tracks", service: "track-fusion" },
    },
    {
      what: "contributors changed/s",
      query:
        'sum(rate(cms_fusion_contributors_changed_total{job="cms-services",change="added"}[15s]))',
      op: "<",
      value: 0.3,
    },
    noTrackRefused,
  ],
  alerts: pictureAlerts,
});
