import { describe, expect, test } from "bun:test";
import { chooseEngine, type EngineProbes } from "./choose-engine.ts";

const LINUX: EngineProbes = {
  platform: "linux",
  obstacles: () => [],
  engineAnswers: () => Promise.resolve(true),
};
const noEngine = { engineAnswers: () => Promise.resolve(false) };

describe("chooseEngine()", () => {
  test.each([
    ["on Linux the native one", {}, "native", undefined],
    [
      "without namespaces containers",
      { obstacles: () => ["no namespaces", "no limits"] },
      "docker",
      "no namespaces; no limits",
    ],
    ["on macOS containers", { platform: "darwin" }, "docker", "needs Linux, and this is darwin"],
    [
      "on Windows containers, even before an engine runs",
      { platform: "win32", ...noEngine },
      "docker",
      "win32",
    ],
    [
      "without namespaces and without an engine the native one, which says what is missing",
      { obstacles: () => ["no namespaces"], ...noEngine },
      "native",
      undefined,
    ],
  ] as const)("%s", async (_, probes, engine, reason) => {
    const choice = await chooseEngine(["up"], { ...LINUX, ...probes });
    expect(choice.engine).toBe(engine);
    if (reason === undefined) expect(choice.reason).toBeUndefined();
    else expect(choice.reason).toContain(reason);
  });

  test.each([
    [["up", "--engine", "docker"], "docker"],
    [["--engine=docker", "up"], "docker"],
    [["up", "--engine", "docker", "--engine", "native"], "native"],
  ] as const)("%p takes what is written", async (argv, engine) => {
    const mac = { ...LINUX, platform: "darwin" };
    expect(await chooseEngine(argv, mac)).toMatchObject({ engine, reason: undefined });
  });

  test("a word that is no engine is left to the parser", async () => {
    expect(await chooseEngine(["up", "--engine", "qemu"], LINUX)).toMatchObject({
      engine: "native",
    });
  });
});
