import { describe, expect, test } from "bun:test";
import { chooseEngine, type EngineProbes } from "./choose-engine.ts";

const LINUX_ROOT: EngineProbes = {
  platform: "linux",
  uid: 0,
  mayMakeNamespaces: () => true,
  engineAnswers: () => Promise.resolve(true),
};
const noEngine = { engineAnswers: () => Promise.resolve(false) };

describe("chooseEngine()", () => {
  test.each([
    ["as root on Linux the native one", {}, "native", undefined],
    ["without root containers", { uid: 1000 }, "docker", "needs root, and this is uid 1000"],
    [
      "without namespaces containers",
      { mayMakeNamespaces: () => false },
      "docker",
      "may not make any here",
    ],
    ["on macOS containers", { platform: "darwin" }, "docker", "needs Linux, and this is darwin"],
    [
      "on Windows containers, even before an engine runs",
      { platform: "win32", ...noEngine },
      "docker",
      "win32",
    ],
    [
      "without root and without an engine the native one",
      { uid: 1000, ...noEngine },
      "native",
      undefined,
    ],
  ] as const)("%s", async (_, probes, engine, reason) => {
    const choice = await chooseEngine(["up"], { ...LINUX_ROOT, ...probes });
    expect(choice.engine).toBe(engine);
    if (reason === undefined) expect(choice.reason).toBeUndefined();
    else expect(choice.reason).toContain(reason);
  });

  test.each([
    [["up", "--engine", "docker"], "docker"],
    [["--engine=docker", "up"], "docker"],
    [["up", "--engine", "docker", "--engine", "native"], "native"],
  ] as const)("%p takes what is written", async (argv, engine) => {
    const mac = { ...LINUX_ROOT, platform: "darwin" };
    expect(await chooseEngine(argv, mac)).toEqual({ engine, reason: undefined });
  });

  test("a word that is no engine is left to the parser", async () => {
    expect(await chooseEngine(["up", "--engine", "qemu"], LINUX_ROOT)).toMatchObject({
      engine: "native",
    });
  });
});
