/** What has to be on a machine, and the Debian or Ubuntu packages that bring it. */
import type { Machine } from "./machine.ts";

export interface Need {
  readonly what: string;
  /** Names that differ by release; the first that exists is taken. */
  readonly packages: readonly string[];
  readonly isThere: (machine: Machine) => boolean;
}

const onPath =
  (...programs: readonly string[]): Need["isThere"] =>
  (machine) =>
    programs.every((program) => machine.hasProgram(program));

export const PROMETHEUS: Need = {
  what: "prometheus",
  packages: ["prometheus"],
  isThere: onPath("prometheus"),
};

/** What a lab in namespaces needs. */
export const LAB_NEEDS: readonly Need[] = [
  {
    what: "the Cyclone DDS C library",
    packages: ["libddsc0debian", "libddsc0t64", "libddsc0"],
    isThere: (machine) => machine.hasDdsLibrary(),
  },
  PROMETHEUS,
  { what: "ip", packages: ["iproute2"], isThere: onPath("ip") },
  {
    what: "unshare and setpriv",
    packages: ["util-linux"],
    isThere: onPath("unshare", "setpriv"),
  },
];

/** What only the tests need: a browser for pages, a C compiler and the IDL compiler for C peers. */
const TEST_NEEDS: readonly Need[] = [
  { what: "chromium", packages: ["chromium"], isThere: onPath("chromium") },
  { what: "idlc", packages: ["cyclonedds-tools"], isThere: onPath("idlc") },
  {
    what: "the Cyclone DDS headers",
    packages: ["cyclonedds-dev"],
    isThere: (machine) => machine.hasFile("/usr/include/dds/dds.h"),
  },
  { what: "gcc", packages: ["gcc"], isThere: onPath("gcc") },
  {
    what: "the C headers",
    packages: ["libc6-dev"],
    isThere: (machine) => machine.hasFile("/usr/include/stdio.h"),
  },
];

/** Ubuntu's Chromium is a snap, which apt-get does not install: page tests are skipped there. */
export const testNeeds = (machine: Machine): readonly Need[] =>
  TEST_NEEDS.filter(({ what }) => what !== "chromium" || !isUbuntu(machine));

const isUbuntu = (machine: Machine): boolean => distributionIds(machine)[0] === "ubuntu";

/** The distribution of a machine and those that it is made from, in lower case. */
export function distributionIds(machine: Machine): string[] {
  const text = machine.read("/etc/os-release") ?? "";
  return ["ID", "ID_LIKE"].flatMap((name) => {
    const value = new RegExp(`^${name}="?([^"\\n]*)"?$`, "m").exec(text)?.[1] ?? "";
    return value.toLowerCase().split(/\s+/).filter(Boolean);
  });
}
