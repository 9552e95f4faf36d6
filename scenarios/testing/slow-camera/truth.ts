import type { Truth } from "../../../lib/truth/truth.ts";

/** Ground truth and rubric; expected_rca.md is the text version. */
export const truth: Truth = {
  faults: [
    {
      culprit: "eo-sensor",
      fault_class: "bad_configuration",
      also_accept: [],
      remediation: { actions: ["correct_configuration"], target: "eo-sensor" },
    },
  ],
  mechanism: "eo-sensor scans once in twenty seconds instead of twice a second.",
  evidence: [
    {
      id: "rate",
      shows_mechanism: true,
      kind: "metric",
      describe: "EO-3 publishes far below its nominal rate",
      any_of: [
        { signal: "cms_sensor_published_total", as: "rate", holds: { op: "<", value: 0.5 } },
      ],
      service: "eo-sensor",
    },
  ],
  misattributions: [{ culprit: "track-fusion", points: -1, why: "fusion only lost an input" }],
};
