/** The alert that starts an investigation, in the shape of Grafana's webhook. */
import { z } from "zod";
import { SERVICES } from "./topology.ts";

const labels = z.record(z.string(), z.string());

const AlertInstanceSchema = z.strictObject({
  status: z.enum(["firing", "resolved"]),
  labels,
  annotations: labels,
  startsAt: z.iso.datetime(),
  endsAt: z.iso.datetime().nullable(),
  values: z.record(z.string(), z.number()).optional(),
});

/** Top level of the payload. `commonAnnotations.scenario` is for the runner alone. */
export const AlertSchema = z.strictObject({
  alert_source: z.literal("grafana"),
  title: z.string().min(1),
  alert_name: z.string().min(1),
  state: z.enum(["alerting", "ok"]),
  severity: z.enum(["critical", "warning", "info"]),
  pipeline_name: z.enum(SERVICES),
  message: z.string(),
  commonLabels: labels.refine(
    (set) => set["alert_source"] === "grafana" && set["pipeline_name"] !== undefined,
    "it must have alert_source=grafana and pipeline_name",
  ),
  commonAnnotations: labels,
  alerts: z.array(AlertInstanceSchema).min(1),
});
export type Alert = z.infer<typeof AlertSchema>;

/** Returns the alert without the runner's annotation, as investigators see it. */
export function withoutScenario(alert: Alert): Alert {
  const { scenario: _, ...commonAnnotations } = alert.commonAnnotations;
  const alerts = alert.alerts.map((one) => {
    const { scenario: __, ...annotations } = one.annotations;
    return { ...one, annotations };
  });
  return { ...alert, commonAnnotations, alerts };
}
