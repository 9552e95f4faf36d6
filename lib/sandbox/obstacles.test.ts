import { describe, expect, test } from "bun:test";
import { type Host, obstacles, thisHost } from "./obstacles.ts";

const GROUPS = "/sys/fs/cgroup";
const OF_USER = `${GROUPS}/user.slice/user-1000.slice/user@1000.service`;

interface Fake extends Partial<Omit<Host, "read" | "exists">> {
  readonly files?: Readonly<Record<string, string>>;
}

/** An ordinary user's machine with control groups v2, systemd and namespaces. */
function host({ files = {}, ...rest }: Fake = {}): Host {
  const all: Readonly<Record<string, string>> = {
    [GROUPS]: "",
    [`${GROUPS}/cgroup.controllers`]: "cpuset cpu io memory pids\n",
    [OF_USER]: "",
    [`${OF_USER}/cgroup.controllers`]: "cpu memory pids\n",
    ...files,
  };
  return {
    uid: 1000,
    read: (path) => all[path],
    exists: (path) => all[path] !== undefined && all[path] !== "absent",
    mayWrite: () => true,
    has: () => true,
    tryNamespaces: () => undefined,
    ...rest,
  };
}

const REFUSED = { tryNamespaces: () => "unshare: Operation not permitted" };

describe("obstacles()", () => {
  test("finds none for a user of systemd, for root with either version, and before the tools are there", () => {
    expect(obstacles(host())).toEqual([]);
    expect(obstacles(host({ uid: 0 }))).toEqual([]);
    const v1 = { [`${GROUPS}/cgroup.controllers`]: "absent" };
    expect(obstacles(host({ uid: 0, files: v1 }))).toEqual([]);
    expect(obstacles(host({ ...REFUSED, has: (name) => name !== "unshare" }))).toEqual([]);
  });

  test.each([
    [
      "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
      "1\n",
      "`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0` allows them",
    ],
    [
      "/proc/sys/kernel/unprivileged_userns_clone",
      "0\n",
      "`sudo sysctl -w kernel.unprivileged_userns_clone=1` allows them",
    ],
    [
      "/proc/sys/user/max_user_namespaces",
      "0\n",
      "`sudo sysctl -w user.max_user_namespaces=15000` allows them",
    ],
  ])("names the one line where %s forbids namespaces", (file, value, line) => {
    const [found, ...others] = obstacles(host({ ...REFUSED, files: { [file]: value } }));
    expect(found).toEndWith(line);
    expect(others).toEqual([]);
    // The setting alone is no obstacle, as where a profile allows the program.
    expect(obstacles(host({ files: { [file]: value } }))).toEqual([]);
  });

  test("tells a container without privileges what it lacks, all at once", () => {
    const found = obstacles(host({ uid: 0, ...REFUSED, mayWrite: () => false }));
    expect(found).toHaveLength(2);
    for (const one of found) expect(one).toContain("--privileged");
  });

  test("says which controller is missing, and where", () => {
    const off = "cpuset cpu io pids\n";
    const [asRoot] = obstacles(host({ uid: 0, files: { [`${GROUPS}/cgroup.controllers`]: off } }));
    expect(asRoot).toStartWith(`${GROUPS}/cgroup.controllers must name memory, but does not`);
    const [asUser] = obstacles(host({ files: { [`${OF_USER}/cgroup.controllers`]: "pids\n" } }));
    expect(asUser).toContain("must name cpu and memory");
    expect(asUser).toContain('`sudo systemctl set-property user@1000.service Delegate="cpu');
  });

  test("says how WSL2 starts systemd", () => {
    const wsl = { "/proc/version": "Linux version 6.6.87-microsoft-standard-WSL2\n" };
    const [off] = obstacles(host({ files: { ...wsl, [OF_USER]: "absent" } }));
    expect(off).toContain("systemd=true");
    expect(off).toContain("wsl --shutdown");
    expect(obstacles(host({ files: { ...wsl, "/run/systemd/system": "" } }))).toEqual([]);
  });

  test("says what a user without systemd, or with version 1, can do", () => {
    const [lonely] = obstacles(host({ files: { [OF_USER]: "absent" } }));
    expect(lonely).toContain("`sudo loginctl enable-linger 1000` starts it");
    const [old] = obstacles(host({ files: { [`${GROUPS}/cgroup.controllers`]: "absent" } }));
    expect(old).toContain("version 1");
  });

  test.skipIf(process.platform !== "linux")("looks at this machine without changing it", () => {
    expect(obstacles(thisHost).every((one) => one.length > 20)).toBe(true);
  });
});
