/** The alert rules that the lab runs with. */
import { readFileSync } from "node:fs";
import { ALERT_RULES_FILE, type AlertRule, parseAlertRules } from "../contract/alert-rules.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** Reads the rules from the one provisioning file. */
export function readRules(): AlertRule[] {
  return parseAlertRules(readFileSync(`${ROOT}/${ALERT_RULES_FILE}`, "utf8"));
}
