/** Writes Prometheus' configuration and rules from the topology and the file of alert rules. */
import type { AlertRule } from "../../contract/alert-rules.ts";
import { SERVICES, TOPOLOGY } from "../../contract/topology.ts";
import { GATEWAY, INNER_PORTS } from "./layout.ts";

/** Short, so that a fault shows within seconds. Scraping a service takes about 1 ms. */
export const SCRAPE_INTERVAL_SECONDS = 2;

/** The configuration file as JSON, which is valid YAML. */
export function prometheusConfig(rulesFile: string): string {
  const targets = SERVICES.map((service) => `${service}:${TOPOLOGY[service].metricsPort}`);
  const interval = `${SCRAPE_INTERVAL_SECONDS}s`;
  const job = (job_name: string, target: string, rest: object): object => ({
    job_name,
    static_configs: [{ targets: [target] }],
    ...rest,
  });
  return JSON.stringify(
    {
      global: {
        scrape_interval: interval,
        scrape_timeout: interval,
        evaluation_interval: interval,
      },
      rule_files: [rulesFile],
      scrape_configs: [
        { job_name: "cms-services", static_configs: [{ targets }] },
        job("containers", `${GATEWAY}:${INNER_PORTS.containers}`, {}),
        job("otlp", `${GATEWAY}:${INNER_PORTS.console}`, {
          metrics_path: "/otlp/metrics",
          honor_labels: true,
        }),
      ],
    },
    null,
    2,
  );
}

/** The rules file: every rule as in the provisioning file, with its title as alert name. */
export function prometheusRules(rules: readonly AlertRule[]): string {
  return JSON.stringify(
    {
      groups: [
        {
          name: "cms",
          rules: rules.map((rule) => ({
            alert: rule.title,
            expr: rule.expr,
            for: `${rule.forSeconds}s`,
            labels: { severity: rule.severity, uid: rule.uid },
            annotations: rule.annotations,
          })),
        },
      ],
    },
    null,
    2,
  );
}
