/** Alert rules and alerts in Grafana's formats. Prometheus evaluates the rules. */
import { EnvironmentError, messageOf } from "../../../lib/base/errors.ts";
import {
  type ActiveAlert,
  type ActiveRule,
  createPrometheusClient,
} from "../../../lib/base/prometheus.ts";
import type { AlertRule } from "../../../lib/contract/alert-rules.ts";

/** Sends a request to Prometheus; throws EnvironmentError when it does not answer. */
export async function askPrometheus(
  url: string,
  path: string,
  init: RequestInit,
): Promise<Response> {
  try {
    return await fetch(url + path, init);
  } catch (error) {
    throw new EnvironmentError(`Prometheus at ${url} does not answer: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** The rules of Prometheus by name; throws EnvironmentError. */
export async function prometheusRules(url: string): Promise<Map<string, ActiveRule>> {
  const rules = await createPrometheusClient(url).rules();
  return new Map(rules.map((rule) => [rule.name, rule]));
}

const STATES = { inactive: "Normal", pending: "Pending", firing: "Alerting" } as const;

function grafanaAlert(alert: ActiveAlert, rule: AlertRule): unknown {
  return {
    labels: { ...alert.labels, grafana_folder: rule.folder },
    annotations: alert.annotations,
    state: STATES[alert.state],
    activeAt: alert.activeAt,
    value: alert.value,
  };
}

/** `/api/prometheus/grafana/api/v1/rules`. */
export function rulesResponse(rules: readonly AlertRule[], live: Map<string, ActiveRule>): unknown {
  const groups = Map.groupBy(rules, ({ folder, group }) => `${folder}\0${group}`);
  return {
    status: "success",
    data: {
      groups: [...groups.values()].map((members) => ({
        name: members[0]?.group,
        file: members[0]?.folder,
        folderUid: folderUid(members[0]?.folder ?? ""),
        interval: members[0]?.intervalSeconds,
        rules: members.map((rule) => {
          const now = live.get(rule.title);
          return {
            uid: rule.uid,
            name: rule.title,
            state: now?.state ?? "inactive",
            query: rule.expr,
            duration: rule.forSeconds,
            labels: { severity: rule.severity },
            annotations: rule.annotations,
            alerts: (now?.alerts ?? []).map((alert) => grafanaAlert(alert, rule)),
            health: now?.health ?? "nodata",
            ...(now?.lastError === undefined ? {} : { lastError: now.lastError }),
            type: "alerting",
            lastEvaluation: now?.lastEvaluation ?? "0001-01-01T00:00:00Z",
            evaluationTime: now?.evaluationTime ?? 0,
          };
        }),
      })),
    },
  };
}

/** `/api/prometheus/grafana/api/v1/alerts`. */
export function alertsResponse(
  rules: readonly AlertRule[],
  live: Map<string, ActiveRule>,
): unknown {
  const alerts = rules.flatMap((rule) =>
    (live.get(rule.title)?.alerts ?? []).map((alert) => grafanaAlert(alert, rule)),
  );
  return { status: "success", data: { alerts } };
}

/** `/api/ruler/grafana/api/v1/rules`: the provisioned rules by folder. */
export function rulerResponse(rules: readonly AlertRule[]): Record<string, unknown> {
  const folders = Map.groupBy(rules, ({ folder }) => folder);
  return Object.fromEntries(
    [...folders].map(([folder, inFolder]) => [
      folder,
      [...Map.groupBy(inFolder, ({ group }) => group)].map(([name, members]) => ({
        name,
        interval: `${members[0]?.intervalSeconds ?? 0}s`,
        rules: members.map(rulerRule),
      })),
    ]),
  );
}

function rulerRule(rule: AlertRule): unknown {
  return {
    expr: "",
    for: `${rule.forSeconds}s`,
    labels: { severity: rule.severity },
    annotations: rule.annotations,
    grafana_alert: {
      uid: rule.uid,
      title: rule.title,
      condition: "A",
      data: queryOf(rule),
      intervalSeconds: rule.intervalSeconds,
      is_paused: false,
      namespace_uid: folderUid(rule.folder),
      rule_group: rule.group,
      no_data_state: "OK",
      exec_err_state: "Error",
      provenance: "file",
    },
  };
}

/** `/api/v1/provisioning/alert-rules`. */
export function provisionedResponse(rules: readonly AlertRule[]): unknown[] {
  return rules.map((rule) => ({
    uid: rule.uid,
    title: rule.title,
    orgID: 1,
    folderUID: folderUid(rule.folder),
    ruleGroup: rule.group,
    condition: "A",
    data: queryOf(rule),
    noDataState: "OK",
    execErrState: "Error",
    for: `${rule.forSeconds}s`,
    labels: { severity: rule.severity },
    annotations: rule.annotations,
    provenance: "file",
    isPaused: false,
  }));
}

/** `/api/folders`. */
export function foldersResponse(rules: readonly AlertRule[]): unknown[] {
  const folders = [...new Set(rules.map(({ folder }) => folder))];
  return folders.map((title, index) => ({ id: index + 1, uid: folderUid(title), title }));
}

function queryOf(rule: AlertRule): unknown[] {
  return [
    {
      refId: "A",
      queryType: "",
      relativeTimeRange: { from: rule.lookbackSeconds, to: 0 },
      datasourceUid: "prometheus",
      model: { refId: "A", expr: rule.expr, instant: true },
    },
  ];
}

const folderUid = (folder: string): string => folder.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");

/** An alert in Alertmanager's format; a resolved one is kept for a while with its end. */
interface ManagedAlert {
  readonly key: string;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly startsAt: string;
  endsAt: string;
  resolved: boolean;
}

/**
 * Time for which a resolved alert is shown, milliseconds; Alertmanager's resolve_timeout is 5
 * minutes, too.
 */
const RESOLVED_SHOWN_MS = 5 * 60_000;

/** Remembers firing alerts, so that they can be shown as resolved later. */
export class AlertBook {
  readonly #alerts = new Map<string, ManagedAlert>();

  /**
   * Updates the firing alerts and returns the list in Alertmanager's format, for
   * `/api/alertmanager/grafana/api/v2/alerts`.
   */
  update(rules: readonly AlertRule[], live: Map<string, ActiveRule>, nowMs: number): unknown[] {
    const firing = new Set<string>();
    for (const rule of rules) {
      for (const alert of live.get(rule.title)?.alerts ?? []) {
        if (alert.state !== "firing") continue;
        const key = JSON.stringify(alert.labels);
        firing.add(key);
        const known = this.#alerts.get(key);
        const startsAt = known?.resolved === false ? known.startsAt : new Date(nowMs).toISOString();
        this.#alerts.set(key, {
          key,
          labels: { ...alert.labels, grafana_folder: rule.folder, __alert_rule_uid__: rule.uid },
          annotations: alert.annotations,
          startsAt,
          endsAt: new Date(nowMs + RESOLVED_SHOWN_MS).toISOString(),
          resolved: false,
        });
      }
    }
    for (const alert of this.#alerts.values()) {
      if (firing.has(alert.key)) continue;
      if (!alert.resolved) {
        alert.resolved = true;
        alert.endsAt = new Date(nowMs).toISOString();
      }
      if (Date.parse(alert.endsAt) < nowMs - RESOLVED_SHOWN_MS) this.#alerts.delete(alert.key);
    }
    return [...this.#alerts.values()].map((alert) => managed(alert, nowMs));
  }
}

function managed(alert: ManagedAlert, nowMs: number): unknown {
  return {
    annotations: alert.annotations,
    endsAt: alert.endsAt,
    fingerprint: Bun.hash(alert.key).toString(16).padStart(16, "0"),
    receivers: [{ name: "default" }],
    startsAt: alert.startsAt,
    status: { inhibitedBy: [], silencedBy: [], state: alert.resolved ? "resolved" : "active" },
    updatedAt: new Date(nowMs).toISOString(),
    generatorURL: "",
    labels: alert.labels,
  };
}
