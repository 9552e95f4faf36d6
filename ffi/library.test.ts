/** Finds the C library, determines its version, and refuses unknown ones. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { candidates, openFirst } from "./library.ts";
import { DdsLibraryError, loadLibrary } from "./mod.ts";
import { SYMBOLS } from "./symbols.ts";
import { mustRun } from "./testing/c-peer.ts";
import { MARKING_FUNCTIONS, seriesOf, versionInName } from "./version.ts";

const TEN = new Set(["dds_get_typeinfo", "dds_create_topic_arbitrary"]);
const ELEVEN = new Set(["dds_get_typeinfo", "dds_dynamic_type_create", "dds_peekcdr"]);

test("the library that is loaded is of a known series and has its place", () => {
  const { series, path } = loadLibrary();
  expect(["0.10", "11"]).toContain(series);
  expect(candidates(process.env["CYCLONEDDS_HOME"])).toContain(path);
});

describe("the series of a library", () => {
  test.each([
    ["0.10", TEN, undefined],
    ["0.10", TEN, "/usr/lib/libddsc.so.0.10.2"],
    ["0.10", TEN, "/usr/lib/libddsc.so.0debian"],
    ["11", ELEVEN, undefined],
    ["11", ELEVEN, "/venv/cyclonedds.libs/libddsc-ad12c33a.so.11.0.1"],
    ["11", ELEVEN, "/opt/lib/libddsc.11.dylib"],
  ] as const)("is %s by what it exports", (series, exported, file) => {
    expect(seriesOf(exported, file)).toBe(series);
  });

  test.each([
    ["its version is unknown", new Set<string>(), undefined],
    ["it is 0.9.1", new Set(["dds_create_topic_arbitrary"]), "/usr/lib/libddsc.so.0.9.1"],
    ["it is 12.0.0", ELEVEN, "/usr/lib/libddsc.so.12.0.0"],
    ["it is 11.0.1", TEN, "/usr/lib/libddsc.so.11.0.1"],
    ["its version is unknown", new Set([...TEN, ...ELEVEN]), "/usr/lib/libddsc.so"],
  ])("is refused when it is none that is known: %s", (is, exported, file) => {
    expect(() => seriesOf(exported, file)).toThrow(DdsLibraryError);
    expect(() => seriesOf(exported, file)).toThrow(`it must be Cyclone DDS 0.10 or 11, but ${is}`);
  });

  test("has a version in the file's name, or none", () => {
    expect(versionInName("/lib/libddsc.so")).toBeUndefined();
    expect(versionInName("/lib/libddsc.0.10.5.dylib")).toBe("0.10.5");
  });
});

describe("a library that is not there or not the right one", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "libddsc-"));
    const stub = [...Object.keys(SYMBOLS), ...MARKING_FUNCTIONS].map((name) => `void ${name}() {}`);
    await Bun.write(join(folder, "stub.c"), stub.join("\n"));
    await Bun.write(join(folder, "empty.c"), "int nothing;");
    await mustRun(["gcc", "-shared", "-o", "libddsc.so.12", "stub.c"], folder);
    await mustRun(["gcc", "-shared", "-o", "libddsc-empty.so", "empty.c"], folder);
    await Bun.write(join(folder, "libddsc-text.so"), "not a library");
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each([
    ["libddsc.so.12", "it must be Cyclone DDS 0.10 or 11, but it is 12"],
    ["libddsc-empty.so", "dds_create_domain"],
    ["libddsc-text.so", "libddsc-text.so"],
    ["libddsc-missing.so", "libddsc-missing.so"],
  ])("%s is named with the reason, and the next one is tried", (name, reason) => {
    const path = join(folder, name);
    expect(() => openFirst([path])).toThrow(DdsLibraryError);
    expect(() => openFirst([path])).toThrow(reason);
    const good = loadLibrary().path;
    expect(openFirst([path, good]).path).toBe(good);
  });

  test("is an error of one line that says how to get it", async () => {
    const script = `import { createParticipant } from "${import.meta.dir}/mod.ts";
      try { createParticipant(); } catch (error) { console.log(error.name, error.message); }`;
    const program = Bun.spawn([process.execPath, "-e", script], {
      env: { ...Bun.env, CYCLONEDDS_HOME: folder },
      timeout: 60_000,
    });
    const said = await new Response(program.stdout).text();
    expect(said).toStartWith("DdsLibraryError Cannot load the Cyclone DDS C library (0.10 or 11).");
    expect(said).toContain("Install libddsc0debian or libddsc0t64");
    expect(said).toContain(`${folder}/lib/libddsc.so.11`);
    expect(said.trim().split("\n")).toHaveLength(1);
  });
});
