import { describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROMETHEUS_READY, startServed, whyNotRestored } from "./programs.ts";

const LISTENING = 'level=info component=web msg="Listening on" address=127.0.0.1:36305';
const READY = 'level=info msg="Server is ready to receive web requests."';
const OTHERS = 'level=info component="rule manager" msg="Starting rule manager..."';

describe("PROMETHEUS_READY", () => {
  test.each([
    ["listens first", [LISTENING, READY, OTHERS]],
    ["is ready first", [OTHERS, READY, OTHERS, LISTENING]],
  ])("finds the port of a server that %s", (_, lines) => {
    expect(PROMETHEUS_READY.exec(lines.join("\n"))?.[1]).toBe("36305");
  });

  test.each([[LISTENING], [READY]])("waits for both: %s", (line) => {
    expect(PROMETHEUS_READY.exec(`${OTHERS}\n${line}\n`)).toBeNull();
  });
});

test("whyNotRestored() names what is not on PATH, and nothing where all is", () => {
  const folder = mkdtempSync(join(tmpdir(), "programs-"));
  const install = (name: string): void => {
    writeFileSync(join(folder, name), "#!/bin/true\n");
    chmodSync(join(folder, name), 0o755);
  };
  expect(whyNotRestored(folder)).toContain("sh must be on PATH");
  install("sh");
  expect(whyNotRestored(folder)).toContain("prometheus must be on PATH");
  install("prometheus");
  expect(whyNotRestored(folder)).toBeUndefined();
});

describe("startServed()", () => {
  const started = (script: string) =>
    startServed({ name: "it", argv: ["sh", "-c", script], cwd: "/", ready: /port (\d+)/ });

  test("returns what the program says when it is ready", async () => {
    await using served = await started("echo port 7; exec sleep 60");
    expect(served.match[1]).toBe("7");
  });

  test("says with what a program ended that was never ready", async () => {
    await expect(started("echo no port >&2; exit 4")).rejects.toThrow(
      "Cannot serve the incident: it: it exited with 4: no port",
    );
  });
});
