import { describe, expect, test } from "bun:test";
import type { Remedy } from "../../contract/answer.ts";
import { describeAct, keyOfActs, ordersIn, readRemedy } from "./read-remedy.ts";

const remedy = (
  action: Remedy["action"],
  parameters: Remedy["parameters"] = {},
  target: Remedy["target"] = "track-fusion",
): Remedy => ({ action, target, parameters, prose: "" });

const inWords = (one: Remedy): string => {
  const read = readRemedy(one);
  return read.kind === "act" ? describeAct(read.act) : `nothing: ${read.why}`;
};

describe("readRemedy()", () => {
  test.each([
    ["raise_cpu_quota", {}, "raise_cpu_quota track-fusion"],
    ["raise_cpu_quota", { cores: 0.5 }, "raise_cpu_quota track-fusion = 0.5"],
    ["raise_cpu_quota", { cpu_limit: "500m" }, "raise_cpu_quota track-fusion = 0.5"],
    ["raise_cpu_quota", { quota: "50%" }, "raise_cpu_quota track-fusion = 0.5"],
    ["raise_memory_limit", { mib: 512 }, "raise_memory_limit track-fusion = 512"],
    ["raise_memory_limit", { limit: "512Mi" }, "raise_memory_limit track-fusion = 512"],
    ["raise_memory_limit", { limit: "1 GB" }, "raise_memory_limit track-fusion = 1024"],
    ["raise_memory_limit", { limit: 536870912 }, "raise_memory_limit track-fusion = 512"],
    ["reduce_publish_rate", { rate_hz: "10 Hz" }, "reduce_publish_rate track-fusion = 10"],
    ["correct_dds_domain", { domain: 0 }, "correct_dds_domain track-fusion = 0"],
    ["restart_service", { reason: "it hangs" }, "restart_service track-fusion"],
    [
      "correct_configuration",
      { setting: "PUBLISH_RATE_HZ", value: 10 },
      "correct_configuration track-fusion PUBLISH_RATE_HZ = 10",
    ],
    [
      "correct_configuration",
      { PUBLISH_RATE_HZ: 10 },
      "correct_configuration track-fusion PUBLISH_RATE_HZ = 10",
    ],
    [
      "correct_configuration",
      { setting: "CYCLONEDDS_URI" },
      "correct_configuration track-fusion CYCLONEDDS_URI",
    ],
  ] as const)("%s with %j", (action, parameters, wanted) => {
    expect(inWords(remedy(action, parameters))).toBe(wanted);
  });

  test.each([
    ["no_action", {}, "no_action changes nothing"],
    ["gather_more_evidence", {}, "gather_more_evidence changes nothing"],
    ["raise_cpu_quota", { cores: "plenty" }, "cores of raise_cpu_quota must be cores from"],
    ["raise_cpu_quota", { cores: 0 }, "must be cores from"],
    ["raise_memory_limit", { mib: 1e9 }, "must be a limit from"],
    ["correct_qos_profile", { profile: "SHARED" }, "must be one of RELIABLE_KEEP_LAST"],
    ["correct_configuration", {}, "must name the setting"],
    ["correct_configuration", { setting: "LD_PRELOAD", value: "/x.so" }, "can only be set back"],
    ["correct_configuration", { setting: "CMS_SEED", value: "1".repeat(201) }, "at most 200"],
  ] as const)("%s with %j does nothing, and says why", (action, parameters, why) => {
    expect(inWords(remedy(action, parameters))).toContain(why);
  });

  test.each([null, "host", "telemetry"] as const)("nothing can be done to %p", (target) => {
    expect(inWords(remedy("restart_service", {}, target))).toContain("needs a service");
  });

  test("only relieve_host acts on the machine", () => {
    expect(inWords(remedy("relieve_host", {}, "host"))).toBe("relieve_host host");
    expect(inWords(remedy("relieve_host", {}, "telemetry"))).toContain("needs a service");
  });
});

test("equal orders share a key: in other words, in another order, and twice", () => {
  const [quota, restart] = [
    remedy("raise_cpu_quota", { cores: 0.5 }),
    remedy("restart_service", {}, "eo-sensor"),
  ];
  const orders = (...all: Remedy[]) => ordersIn(all.map((remediation) => ({ remediation })));
  const key = keyOfActs(orders(quota, restart).acts);
  expect(keyOfActs(orders(restart, remedy("raise_cpu_quota", { cpu: "500m" })).acts)).toBe(key);
  expect(keyOfActs(orders(quota, restart, quota).acts)).toBe(key);
  expect(keyOfActs(orders(remedy("raise_cpu_quota", { cores: 0.6 }), restart).acts)).not.toBe(key);
  expect(keyOfActs(orders().acts)).toBe("do nothing");
  const refused = orders(remedy("correct_configuration"));
  expect(keyOfActs(refused.acts)).toBe("do nothing");
  expect(refused.refused).toEqual(["correct_configuration must name the setting, but names none"]);
});
