import { describe, expect, test } from "bun:test";
import type { Host } from "../sandbox/obstacles.ts";
import { describeHost, type HostProbes } from "./host-report.ts";

const host: Host = {
  uid: 1000,
  read: (path) => (path.endsWith("controllers") ? "cpu memory" : undefined),
  exists: () => true,
  mayWrite: () => true,
  has: () => true,
  tryNamespaces: () => undefined,
};
const LINUX: HostProbes = {
  platform: "linux",
  host,
  engineAnswers: () => Promise.resolve(true),
};
const noEngine = { engineAnswers: () => Promise.resolve(false) };
const wsl: Host = {
  ...host,
  read: (path) => (path === "/proc/version" ? "5.15-microsoft-standard-WSL2" : "cpu memory"),
};
const forbidden: Host = {
  ...host,
  read: (path) => (path.includes("apparmor") ? "1" : host.read(path)),
  tryNamespaces: () => "Operation not permitted",
};

describe("describeHost()", () => {
  test.each([
    ["Linux without root", {}, true, "in namespaces, without root, limits by this user's systemd"],
    ["Linux as root", { host: { ...host, uid: 0 } }, true, "in namespaces, as root"],
    ["WSL2", { host: wsl }, true, "WSL2: in namespaces, without root"],
    [
      "Ubuntu that forbids namespaces",
      { host: forbidden, ...noEngine },
      false,
      "`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0` allows them; no container engine answers",
    ],
    [
      "macOS with Docker",
      { platform: "darwin" },
      true,
      "they need Linux, and this is macOS; containers run it (--engine docker)",
    ],
    ["macOS alone", { platform: "darwin", ...noEngine }, false, "start Docker"],
  ] as const)("on %s", async (_, change, ok, words) => {
    const [lab] = await describeHost({ ...LINUX, ...change });
    expect(lab?.ok).toBe(ok);
    expect(lab?.detail).toContain(words);
  });

  test("recorded incidents need Prometheus alone, and reports nothing", async () => {
    const mac = { ...LINUX, platform: "darwin", host: { ...host, has: () => false } };
    const [, recorded] = await describeHost(mac);
    expect(recorded?.detail).toContain("brew install prometheus");
    expect(recorded?.detail).toContain("reports need nothing");
  });
});
