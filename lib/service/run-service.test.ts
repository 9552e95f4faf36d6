import { describe, expect, test } from "bun:test";
import { run } from "../base/shell.ts";
import { DEFAULT_FLEET } from "../contract/fleet.ts";
import { currentInterface, InterfaceWatch } from "./interface-watch.ts";
import { readSettings } from "./settings.ts";

const program = new URL("../../services/radar-sensor/main.ts", import.meta.url).pathname;

describe("a service's environment", () => {
  test.each([
    ["PUBLISH_RATE_HZ", "abc", "a number of scans per second from 0.01 to 1000"],
    ["PUBLISH_RATE_HZ", "0", "a number of scans per second from 0.01 to 1000"],
    ["PUBLISH_RATE_HZ", "-1", "a number of scans per second from 0.01 to 1000"],
    ["PUBLISH_RATE_HZ", "1e9", "a number of scans per second from 0.01 to 1000"],
    [
      "CMS_FORCE_QOS",
      "BEST",
      "one of RELIABLE_KEEP_LAST, BEST_EFFORT_KEEP_LAST, EXCLUSIVE_OWNERSHIP, RELIABLE_TRANSIENT_LOCAL",
    ],
    ["CMS_LEAK_RATE_BYTES", "1.5", "a whole number of bytes per source track"],
    ["CMS_TARGETS", "1001", "a whole number of targets from 1 to 1000"],
    ["CMS_SEED", "x", "a whole number of a seed from 0 to 4294967295"],
    ["CMS_INBOX_CAPACITY", "0", "a whole number of source tracks from 1 to 1000000"],
    ["CMS_READER_QOS", "BEST", "one of RELIABLE_KEEP_LAST"],
    ["CMS_DDS_PARTITION", "A B", "a lower-case word of at most 32 characters"],
    ["CMS_OUTPUT", "dropped", "<change>:<amount>"],
    ["CMS_HOLD_BYTES", "-1", "a whole number of bytes from 0 to 8589934592"],
    ["CMS_BUSY_SHARE", "1.1", "a number of a share from 0 to 1"],
    ["CMS_START_DELAY_SECONDS", "4000", "a number of seconds from 0 to 3600"],
    ["CMS_METRICS_PORT", "0", "a whole number of a port from 1 to 65535"],
    ["CMS_DEBUG_LINES", "1e5", "a whole number of log records per second from 0 to 10000"],
    ["CMS_LOG_SHARE", "2", "a number of a share from 0 to 1"],
    ["CMS_THREAT_OFFSET", "101", "a number of points from -100 to 100"],
    ["CMS_ENGAGE", "maybe", "one of on, off"],
    ["CMS_DDS_DOMAIN", "231", "a whole number of a DDS domain from 0 to 230"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "host:1", "an http:// or https:// URL"],
  ])(
    "%s=%s is one line with the rule and the value, and exit code 1",
    async (name, value, rule) => {
      const { code, stderr, stdout } = await run([process.execPath, program], {
        env: { PATH: "/usr/bin:/bin", [name]: value },
        timeoutMs: 60_000,
      });
      expect(code).toBe(1);
      expect(stdout).toBe("");
      expect(stderr).toStartWith(`radar-sensor: Cannot use ${name}: it must be ${rule}`);
      expect(stderr).toEndWith(`but is "${value}"\n`);
    },
  );

  test("what is not set keeps its default", () => {
    expect(readSettings({})).toEqual({
      ...DEFAULT_FLEET,
      publishRateHz: undefined,
      forceQos: undefined,
      leakRateBytes: 0,
      inboxCapacity: 10_000,
      ddsDomain: 0,
      cycloneDdsUri: "",
      readerQos: undefined,
      ddsPartition: "",
      output: undefined,
      holdBytes: 0,
      busyShare: 0,
      startDelaySeconds: 0,
      metricsPort: undefined,
      debugLines: 0,
      logShare: 1,
      threatOffset: 0,
      engage: true,
    });
  });
});

describe("InterfaceWatch", () => {
  const eth = { name: "eth0", address: "10.0.0.1", identity: "eth0 10.0.0.1 aa" };

  test("an interface that went and came back is another one, even with the same address", () => {
    const watch = new InterfaceWatch(eth);
    expect(watch.look(eth).kind).toBe("unchanged");
    expect(watch.look(undefined).kind).toBe("gone");
    expect(watch.look(undefined).kind).toBe("gone");
    expect(watch.look(eth)).toMatchObject({ kind: "changed", reason: "interface came back" });
    expect(watch.look(eth).kind).toBe("unchanged");
  });

  test("a new hardware address is a change", () => {
    const watch = new InterfaceWatch(eth);
    const other = { ...eth, identity: "eth0 10.0.0.1 bb" };
    expect(watch.look(other)).toMatchObject({ kind: "changed", reason: "interface changed" });
  });

  test("a machine with nothing but loopback stays as it is", () => {
    const watch = new InterfaceWatch(undefined);
    expect(watch.look(undefined).kind).toBe("unchanged");
    const loopback = {
      address: "127.0.0.1",
      netmask: "",
      family: "IPv4" as const,
      mac: "",
      cidr: null,
    };
    expect(currentInterface({ lo: [{ ...loopback, internal: true }] })).toBeUndefined();
    expect(currentInterface({ e: [{ ...loopback, internal: false }] })?.name).toBe("e");
  });
});
