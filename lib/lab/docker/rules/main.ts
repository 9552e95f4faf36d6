/** Writes Prometheus' rules from the file of alert rules: `bun main.ts <file to write>`. */
import { readFileSync, writeFileSync } from "node:fs";
import { processEnv } from "../../../base/env.ts";
import { messageOf } from "../../../base/errors.ts";
import { ALERT_RULES_FILE, parseAlertRules, rulesFor } from "../../../contract/alert-rules.ts";
import { readFleet } from "../../../contract/fleet.ts";
import { prometheusRules } from "../../native/prometheus-config.ts";

const target = Bun.argv[2];

try {
  if (target === undefined)
    throw new Error("Cannot write the rules: the file to write must be named");
  const written = parseAlertRules(readFileSync(ALERT_RULES_FILE, "utf8"));
  const rules = rulesFor(written, readFleet(processEnv()).targets);
  writeFileSync(target, prometheusRules(rules));
  process.stdout.write(`${rules.length} rules in ${target}\n`);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(1);
}
