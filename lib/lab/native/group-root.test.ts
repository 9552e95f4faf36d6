/** Control groups of version 2 in a folder that stands for the kernel's. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { messageOf, UnfitMachineError } from "../../base/errors.ts";
import { createGroup } from "./cgroup.ts";
import { delegated, openGroups } from "./group-root.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(`${tmpdir()}/groups-`);
  tree({ "cgroup.controllers": "cpu memory pids\n", "cgroup.subtree_control": "" });
  mkdirSync(`${root}/cms-lab-4`);
  tree({ "cms-lab-4/cgroup.subtree_control": "" });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function tree(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) writeFileSync(`${root}/${path}`, text);
}
const textOf = (path: string): string => readFileSync(`${root}/${path}`, "utf8");

describe("openGroups()", () => {
  test("passes the controllers on, to the lab's group and below", () => {
    expect(openGroups(4, root)).toBe(root);
    expect(textOf("cgroup.subtree_control")).toBe("+cpu +memory");
    expect(textOf("cms-lab-4/cgroup.subtree_control")).toBe("+cpu +memory");
  });

  test("moves the processes of a populated group to a leaf first", () => {
    tree({ "cgroup.type": "domain\n", "cgroup.procs": "17\n" });
    mkdirSync(`${root}/cms-lab-leaf`);
    openGroups(4, root);
    expect(textOf("cms-lab-leaf/cgroup.procs")).toBe("17");
    expect(textOf("cgroup.subtree_control")).toBe("+cpu +memory");
  });

  test("leaves the root of the whole machine populated, as the kernel allows", () => {
    tree({ "cgroup.procs": "1\n" });
    openGroups(4, root);
    expect(() => textOf("cms-lab-leaf/cgroup.procs")).toThrow("ENOENT");
  });

  test("says which controllers are missing and which are there", () => {
    tree({ "cgroup.controllers": "cpu pids\n" });
    const attempt = (): string => openGroups(4, root);
    expect(attempt).toThrow(UnfitMachineError);
    expect(attempt).toThrow(`cgroup.controllers must name cpu and memory, but has only "cpu pids"`);
  });
});

describe("a group of version 2", () => {
  const USAGE = {
    "cpu.stat":
      "usage_usec 2500000\nuser_usec 1\nnr_periods 10\nnr_throttled 4\nthrottled_usec 1500000\n",
    "memory.current": "4096\n",
    "memory.stat": "anon 2048\nfile 1\n",
    "memory.events": "low 0\noom 1\noom_kill 1\n",
  };

  function group() {
    const made = createGroup(root, 4, "eo-sensor");
    made.reset({ memoryBytes: 1000, cpuShares: 1024 });
    tree(
      Object.fromEntries(Object.entries(USAGE).map(([n, t]) => [`cms-lab-4/eo-sensor/${n}`, t])),
    );
    return made;
  }

  test("is limited and counted by the kernel's files", () => {
    const made = group();
    expect(textOf("cms-lab-4/eo-sensor/memory.max")).toBe("1000");
    expect(textOf("cms-lab-4/eo-sensor/cpu.weight")).toBe("100");
    made.limitCpu(0.05);
    expect(textOf("cms-lab-4/eo-sensor/cpu.max")).toBe("5000 100000");
    made.limitCpu(null);
    expect(textOf("cms-lab-4/eo-sensor/cpu.max")).toBe("max 100000");
    expect(made.usage()).toEqual({
      cpuSeconds: 2.5,
      periods: 10,
      throttledPeriods: 4,
      throttledSeconds: 1.5,
      memoryBytes: 4096,
      rssBytes: 2048,
      oomKills: 1,
    });
  });

  test.each([
    ["cpu.stat", "usage_usec 1\n", "nr_periods"],
    ["memory.events", "oom 1\n", "oom_kill"],
    ["memory.stat", "file 1\n", "anon"],
    ["memory.current", "\n", "a number"],
  ])("a counter that %s lacks is an error, not 0", (file, text, what) => {
    const made = group();
    tree({ [`cms-lab-4/eo-sensor/${file}`]: text });
    try {
      made.usage();
      expect.unreachable();
    } catch (error) {
      expect(messageOf(error)).toContain(`eo-sensor/${file} must`);
      expect(messageOf(error)).toContain(what);
    }
  });
});

test("without root, the daemon starts in a scope of the user's systemd", () => {
  const argv = ["bun", "daemon.ts"];
  expect(delegated(argv, 4, true)).toEqual(argv);
  expect(delegated(argv, 4, false).join(" ")).toMatch(
    /^systemd-run --user --scope .*Delegate=yes --unit=cms-lab-4-\w+ bun daemon.ts$/,
  );
});
