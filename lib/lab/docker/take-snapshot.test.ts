import { expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ContainerSummary, Engine } from "./engine.ts";
import { LABEL } from "./layout.ts";
import { takeSnapshot } from "./take-snapshot.ts";
import { type Asked, FakeEngine } from "./testing/fake-engine.ts";

const SNAPSHOT = "20260101T000000Z-abc";

const listed: readonly ContainerSummary[] = ["telemetry", "prometheus"].map((service) => ({
  Id: service,
  Names: [],
  State: "running",
  Labels: { [LABEL.service]: service },
}));

/** A program's output in the engine's format: one frame of standard output. */
function frameOf(text: string): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(8 + text.length);
  frame[0] = 1;
  new DataView(frame.buffer).setUint32(4, text.length);
  frame.set(new TextEncoder().encode(text), 8);
  return frame;
}

/** A tar archive of files by their paths. */
async function tarOf(files: Readonly<Record<string, string>>): Promise<ArrayBuffer> {
  const folder = mkdtempSync(join(tmpdir(), "tar-of-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const [top = ""] = Object.keys(files)[0]?.split("/") ?? [];
  const child = Bun.spawn(["tar", "-c", "-C", folder, top], { stdout: "pipe" });
  const bytes = await new Response(child.stdout).arrayBuffer();
  rmSync(folder, { recursive: true });
  return bytes;
}

const blocks = await tarOf({ [`${SNAPSHOT}/01BLOCK/meta.json`]: "{}" });
const store = await tarOf({ "snapshot.sqlite": "rows" });

/** An engine on which every program exits with `exitCode`. */
const engineThat = (exitCode: number): FakeEngine =>
  new FakeEngine(({ path }: Asked) => {
    if (path.endsWith("/exec")) return Response.json({ Id: "run" });
    if (path === "/exec/run/start") {
      return new Response(frameOf(exitCode === 0 ? SNAPSHOT : "Prometheus wrote no snapshot: 403"));
    }
    if (path === "/exec/run/json") return Response.json({ ExitCode: exitCode });
    if (path.startsWith("/containers/prometheus/archive")) return new Response(blocks);
    if (path.startsWith("/containers/telemetry/archive")) return new Response(store);
    return undefined;
  });

const folderOf = (): string => join(mkdtempSync(join(tmpdir(), "take-snapshot-")), "snapshot");

test("copies the blocks at once, the store when it is asked for, and leaves nothing", async () => {
  using fake = engineThat(0);
  const folder = folderOf();
  mkdirSync(join(folder, "of an earlier snapshot"), { recursive: true });
  {
    using stored = await takeSnapshot(new Engine(fake.endpoint), listed, folder);
    expect(stored.prometheusBlocks).toBe(`${folder}/${SNAPSHOT}`);
    expect(readFileSync(`${stored.prometheusBlocks}/01BLOCK/meta.json`, "utf8")).toBe("{}");
    expect(existsSync(join(folder, "of an earlier snapshot"))).toBe(false);
    const programs = (): unknown[] =>
      fake.asked.flatMap(({ path, body }) => {
        const { Cmd } = (body ?? {}) as { Cmd?: readonly string[] };
        return Cmd === undefined ? [] : [`${path} ${Cmd.at(-1)}`];
      });
    expect(programs()).toEqual(["/containers/telemetry/exec prometheus"]);
    expect(readFileSync(await stored.telemetryStore(), "utf8")).toBe("rows");
    expect(programs().at(-1)).toBe("/containers/telemetry/exec telemetry");
  }
  expect(existsSync(folder)).toBe(false);
});

test("says what the program in the container said, and leaves nothing", async () => {
  using fake = engineThat(1);
  const folder = folderOf();
  const attempt = takeSnapshot(new Engine(fake.endpoint), listed, folder);
  expect(attempt).rejects.toThrow(/ended with 1: Prometheus wrote no snapshot: 403/);
  await attempt.catch(() => {});
  expect(existsSync(folder)).toBe(false);
});

test("names the part that is missing", async () => {
  using fake = engineThat(0);
  const attempt = takeSnapshot(new Engine(fake.endpoint), listed.slice(0, 1), folderOf());
  expect(attempt).rejects.toThrow("prometheus must be there, but is not");
  await attempt.catch(() => {});
});
