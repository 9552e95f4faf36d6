/** Builds the alert payload for investigators from the template and the alert that fired. */
import type { ActiveAlert } from "../base/prometheus.ts";
import type { Alert } from "../contract/alert.ts";
import { alertedService, type AlertRule } from "../contract/alert-rules.ts";

/**
 * Returns the template with labels, texts, value and time of the alert that fired.
 *
 * `activeAt` of Prometheus is when the condition became true; the alert fires after the rule's
 * `for` time.
 */
export function alertPayload(template: Alert, fired: ActiveAlert, rule: AlertRule): Alert {
  const { alertname: _, uid: __, severity: ___, ...seriesLabels } = fired.labels;
  const { title, severity } = rule;
  // If several alerts may fire, the firing one determines the service.
  const pipeline = alertedService(rule.uid, fired.labels) ?? template.pipeline_name;
  const commonLabels = {
    ...template.commonLabels,
    pipeline_name: pipeline,
    alertname: title,
    severity,
    ...seriesLabels,
  };
  const annotations = {
    ...withoutKey(template.commonAnnotations, "scenario"),
    ...fired.annotations,
  };
  const startsAt = new Date(Date.parse(fired.activeAt) + rule.forSeconds * 1000).toISOString();
  const value = Number(fired.value);
  const scenario = template.commonAnnotations["scenario"];
  return {
    ...template,
    pipeline_name: pipeline,
    title: `[FIRING:1] ${title}`,
    alert_name: title,
    severity,
    message: [annotations["summary"], annotations["description"]].filter(Boolean).join(". "),
    commonLabels,
    commonAnnotations: { ...annotations, ...(scenario === undefined ? {} : { scenario }) },
    alerts: [
      {
        status: "firing",
        labels: commonLabels,
        annotations,
        startsAt,
        endsAt: null,
        ...(Number.isFinite(value) ? { values: { A: value } } : {}),
      },
    ],
  };
}

function withoutKey(record: Record<string, string>, key: string): Record<string, string> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}
