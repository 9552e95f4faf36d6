/** Reads the alert rules from the text of Grafana's provisioning file, their only source. */
import { z } from "zod";
import { UsageError } from "../base/errors.ts";
import { isServiceName, type ServiceName, serviceOfSensor } from "./topology.ts";

/** Path of the file in the project. */
export const ALERT_RULES_FILE = "observability/grafana/provisioning/alerting/alerts.yaml";

/** One alert rule; all engines evaluate the same. */
export interface AlertRule {
  /** Identifier of the rule: lower-case words with hyphens. */
  readonly uid: string;
  readonly title: string;
  /** PromQL; the rule holds for each series in the result. */
  readonly expr: string;
  /** How long it must hold before the alert fires, seconds. */
  readonly forSeconds: number;
  /** Maximum age of a sample that counts, seconds. */
  readonly lookbackSeconds: number;
  readonly severity: "critical" | "warning";
  readonly folder: string;
  readonly group: string;
  /** Interval between two evaluations of the group, seconds. */
  readonly intervalSeconds: number;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * The services that the rules without a label of a service are about, by the first word of the uid.
 */
const BY_FIRST_WORD: Readonly<Record<string, ServiceName>> = {
  fusion: "track-fusion",
  tactical: "track-fusion",
  evaluation: "threat-evaluator",
  command: "command-center",
  engagement: "effector-manager",
  picture: "tactical-display",
  display: "tactical-display",
};

/** The service that an alert is about: the one that its labels name, else that of its rule. */
export function alertedService(
  uid: string,
  labels: Readonly<Record<string, string>>,
): ServiceName | undefined {
  const { instance = "", name = "", service_name: pushing = "", sensor_id: sensor = "" } = labels;
  const named = [instance.split(":")[0] ?? "", name, pushing].find(isServiceName);
  const [word = ""] = uid.split("-");
  return named ?? serviceOfSensor(sensor) ?? BY_FIRST_WORD[word];
}

const duration = z
  .string()
  .regex(/^\d+(s|m|h)$/, "it must be a duration such as 30s")
  .transform((text) => Number(text.slice(0, -1)) * { s: 1, m: 60, h: 3600 }[text.slice(-1) as "s"]);

const RuleSchema = z.object({
  uid: z.string().regex(/^[a-z]+(-[a-z]+)*$/, "it must be lower-case words with hyphens"),
  title: z.string().min(1),
  condition: z.string(),
  data: z
    .array(
      z.object({
        refId: z.string(),
        relativeTimeRange: z.object({ from: z.number().positive(), to: z.literal(0) }),
        datasourceUid: z.literal("prometheus"),
        model: z.object({ expr: z.string().min(1) }),
      }),
    )
    .length(1, "a rule has exactly one query, so that every engine evaluates the same expression"),
  for: duration,
  labels: z.strictObject({ severity: z.enum(["critical", "warning"]) }),
  annotations: z.record(z.string(), z.string()),
});

const FileSchema = z.object({
  groups: z
    .array(
      z.object({
        name: z.string(),
        folder: z.string(),
        interval: duration,
        rules: z.array(RuleSchema).min(1),
      }),
    )
    .min(1),
});

/**
 * Where expressions contain the number of targets: the text before the 3, and the text behind it.
 */
const TARGET_COUNTS = [
  /(\()3( - cms_fusion_active_tracks\b)/,
  /(\bcms_display_active_tracks\{[^}]*\} > )3$/,
  /(\()3( \* \d+\))/g,
] as const;

/** Returns the rules for a system with another number of targets than the three of the file. */
export function rulesFor(rules: readonly AlertRule[], targets: number): AlertRule[] {
  return rules.map((rule) => ({
    ...rule,
    expr: TARGET_COUNTS.reduce(
      (expr, count) =>
        expr.replace(
          count,
          (_, before: string, behind?: unknown) =>
            `${before}${targets}${typeof behind === "string" ? behind : ""}`,
        ),
      rule.expr,
    ),
  }));
}

/** Parses the file's text; throws UsageError that names `file`, the key and the rule it breaks. */
export function parseAlertRules(text: string, file = ALERT_RULES_FILE): AlertRule[] {
  let document: unknown;
  try {
    document = Bun.YAML.parse(text);
  } catch (error) {
    throw new UsageError(`Cannot read ${file}: it must be YAML: ${(error as Error).message}`);
  }
  const parsed = FileSchema.safeParse(document);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new UsageError(`Cannot read ${file}: ${issue?.path.join(".")}: ${issue?.message}`);
  }
  const rules = parsed.data.groups.flatMap((group) =>
    group.rules.map((rule): AlertRule => {
      const query = rule.data[0];
      return {
        uid: rule.uid,
        title: rule.title,
        expr: query?.model.expr ?? "",
        forSeconds: rule.for,
        lookbackSeconds: query?.relativeTimeRange.from ?? 0,
        severity: rule.labels.severity,
        folder: group.folder,
        group: group.name,
        intervalSeconds: group.interval,
        annotations: rule.annotations,
      };
    }),
  );
  const seen = new Set<string>();
  for (const { uid } of rules) {
    if (seen.has(uid)) throw new UsageError(`Cannot read ${file}: the uid ${uid} occurs twice`);
    seen.add(uid);
  }
  return rules;
}
