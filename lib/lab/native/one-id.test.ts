/**
 * The lab where one user id is mapped, as for every ordinary user: a user namespace of the test's
 * own stands for such a machine. Limits are another matter: they need the user's own systemd.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { processEnv } from "../../base/env.ts";
import { messageOf } from "../../base/errors.ts";
import { mustRun } from "../../base/shell.ts";
import { inNewNamespaces } from "../../sandbox/namespaces.ts";
import { APART, filesApart } from "./layout.ts";
import { preflight } from "./preflight.ts";

const PROJECT = new URL("../../..", import.meta.url).pathname.replace(/\/$/, "");
const LAB_INDEX = 7;

const canRun =
  process.getuid?.() === 0 &&
  (await preflight(LAB_INDEX)
    .then(() => true)
    .catch((error: unknown) => /port/.test(messageOf(error))));

interface Seen {
  readonly name: string;
  readonly status: string;
  readonly mounts: string;
  /** Which of the paths that the test names exist for it. */
  readonly sees: readonly string[];
}

/** Brings a lab of stand-ins up, and looks at each of its processes from outside. */
const PROGRAM = `
  import { existsSync, readFileSync, readlinkSync } from "node:fs";
  import { NativeLab } from "${import.meta.dir}/native-lab.ts";
  import { hostPids } from "${import.meta.dir}/host-processes.ts";
  const paths = JSON.parse(Bun.argv.at(-1));
  const lab = new NativeLab({ index: ${LAB_INDEX}, lifetime: "with-caller", projectDir: "${PROJECT}",
    standIn: "lib/lab/native/testing/stand-in.ts" });
  await lab.up();
  const { services, parts } = await lab.status();
  const names = new Map([...services.map((one) => [one.pid, one.service]), ...parts.map((one) => [one.pid, one.name])]);
  const namespace = readlinkSync("/proc/" + services[0].pid + "/ns/pid");
  const seen = [...hostPids(namespace)].map(([inner, pid]) => ({
    name: inner === 1 ? "supervisor" : names.get(pid) ?? "other",
    status: readFileSync("/proc/" + pid + "/status", "utf8"),
    mounts: readFileSync("/proc/" + pid + "/mounts", "utf8"),
    sees: paths.filter((path) => existsSync("/proc/" + pid + "/root" + path)),
  }));
  await lab.down();
  console.log(JSON.stringify(seen));
`;

describe.skipIf(!canRun)("a lab where one id is mapped (needs root, Linux and its tools)", () => {
  let seen: Seen[] = [];
  const secret = mkdtempSync(`${processEnv()["HOME"] ?? "/root"}/one-id-`);
  const { control } = filesApart(LAB_INDEX);
  const token = filesApart(LAB_INDEX).ownerToken;
  const inProject = `/run/cms-programs/project/.lab/${LAB_INDEX}/owner-token`;
  const program = "/run/cms-programs/project/package.json";
  afterAll(() => rmSync(secret, { recursive: true, force: true }));

  beforeAll(async () => {
    writeFileSync(`${secret}/file`, "");
    const paths = JSON.stringify([`${secret}/file`, inProject, control, token, program]);
    const start = 'ip link set lo up && exec "$@"';
    const argv = [process.execPath, "-e", PROGRAM, paths];
    const inside = inNewNamespaces(["sh", "-c", start, "sh", ...argv], { user: true });
    seen = JSON.parse(await mustRun(inside, { env: processEnv(), cwd: PROJECT })) as Seen[];
  }, 180_000);

  const programs = (): Seen[] => seen.filter(({ name }) => name !== "supervisor");

  test("no process but the supervisor holds a capability, or can get one", () => {
    expect(programs().map(({ name }) => name)).not.toContain("other");
    expect(programs().length).toBeGreaterThan(9);
    for (const { status } of programs()) {
      for (const set of ["Inh", "Prm", "Eff", "Bnd", "Amb"]) {
        expect(status).toMatch(new RegExp(`^Cap${set}:\\s+0+$`, "m"));
      }
      expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    }
  });

  test("the supervisor sees its sockets and tokens: the paths are the right ones", () => {
    const supervisor = seen.find(({ name }) => name === "supervisor");
    expect(supervisor?.sees).toEqual([control, token, program]);
  });

  test("programs see the project, and none of the person's files, sockets or tokens", () => {
    for (const { sees } of programs()) expect(sees).toEqual([program]);
  });

  test("programs can write nowhere but in memory and to their own data", () => {
    const memory = /^(tmpfs|proc|sysfs|devpts|mqueue|devtmpfs|udev|cgroup2?|hugetlbfs|nsfs)$/;
    for (const { name, mounts } of programs()) {
      const lines = mounts.trim().split("\n");
      const writable = lines.filter((line) => {
        const [, , type = "", options = ""] = line.split(" ");
        return !memory.test(type) && !options.split(",").includes("ro");
      });
      const places = writable.map((line) => line.split(" ")[1] ?? "");
      // The folder of the lab's state is covered: see above.
      const open = places.filter((path) => !path.startsWith(`${APART}/`));
      const others = open.filter(
        (path) => !/^\/run\/cms-programs\/(prometheus|telemetry)$/.test(path),
      );
      expect({ name, others }).toEqual({ name, others: [] });
    }
  });
});
