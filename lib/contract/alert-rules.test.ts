import { describe, expect, test } from "bun:test";
import { UsageError } from "../base/errors.ts";
import { ALERT_RULES_FILE, parseAlertRules, rulesFor } from "./alert-rules.ts";

const text = await Bun.file(ALERT_RULES_FILE).text();

/** The first seven rules, which must not change. */
const FIRST_SEVEN = [
  "sensor-down",
  "fusion-latency-high",
  "tactical-tracks-collapsed",
  "sensor-flood",
  "fusion-queue-deep",
  "fusion-contributors-dropped",
  "fusion-memory-elevated",
];

test("what counts the targets follows their number, and nothing else does", () => {
  const rules = parseAlertRules(text);
  expect(rulesFor(rules, 3)).toEqual(rules);
  const changed = rulesFor(rules, 40).filter(({ expr }, i) => expr !== rules[i]?.expr);
  expect(changed.map(({ uid }) => uid)).toEqual([
    "tactical-tracks-collapsed",
    "sensor-rate-off",
    "picture-crowded",
  ]);
  expect(changed[0]?.expr).toBe("(40 - cms_fusion_active_tracks) > 0");
  expect(changed[1]?.expr.match(/\((?:3|40) \* \d+\)/g)).toEqual([
    "(40 * 10)",
    "(40 * 5)",
    "(40 * 2)",
  ]);
  expect(changed[2]?.expr).toEndWith("> 40");
});

describe("parseAlertRules()", () => {
  test("reads every declared rule from the provisioning file, in order", () => {
    const uids = parseAlertRules(text).map((rule) => rule.uid);
    expect(uids.slice(0, FIRST_SEVEN.length)).toEqual(FIRST_SEVEN);
    expect(uids.length).toBe(text.match(/^ +- uid: /gm)?.length ?? 0);
  });

  test("keeps expression, wait, look-back and severity to the letter", () => {
    const rule = parseAlertRules(text).find(({ uid }) => uid === "fusion-contributors-dropped");
    expect(rule).toMatchObject({
      expr: 'sum(increase(cms_fusion_contributors_changed_total{change="removed"}[2m])) > 0',
      forSeconds: 30,
      lookbackSeconds: 120,
      severity: "warning",
    });
    const waits = parseAlertRules(text).map((rule) => rule.forSeconds);
    expect(waits.slice(0, FIRST_SEVEN.length)).toEqual([30, 60, 60, 30, 60, 30, 60]);
  });

  test.each([
    ["for: 30s", "for: soon", "groups.0.rules.0.for"],
    ["uid: sensor-down", "uid: Sensor down", "groups.0.rules.0.uid"],
    ["severity: critical", "severity: loud", "groups.0.rules.0.labels.severity"],
  ])("refuses %p changed to %p and names the key", (from, to, key) => {
    expect(() => parseAlertRules(text.replace(from, to), "a.yaml")).toThrow(key);
  });

  test("refuses a uid that occurs twice and text that is not YAML", () => {
    const twice = text.replace("uid: sensor-flood", "uid: sensor-down");
    expect(() => parseAlertRules(twice)).toThrow("the uid sensor-down occurs twice");
    expect(() => parseAlertRules("groups: [")).toThrow(UsageError);
  });
});
