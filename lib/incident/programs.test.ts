import { describe, expect, test } from "bun:test";
import { PROMETHEUS_READY, startServed } from "./programs.ts";

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
