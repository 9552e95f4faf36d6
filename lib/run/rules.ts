/** Reads the alert rules of the lab. */
import { readFileSync } from "node:fs";
import { processEnv } from "../base/env.ts";
import {
  ALERT_RULES_FILE,
  type AlertRule,
  parseAlertRules,
  rulesFor,
} from "../contract/alert-rules.ts";
import { readFleet } from "../contract/fleet.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** The text of the provisioning file. */
export const readRulesText = (): string => readFileSync(`${ROOT}/${ALERT_RULES_FILE}`, "utf8");

/** Reads the rules from the provisioning file. */
export function readRules(): AlertRule[] {
  const rules = parseAlertRules(readRulesText());
  return rulesFor(rules, readFleet(processEnv()).targets);
}
