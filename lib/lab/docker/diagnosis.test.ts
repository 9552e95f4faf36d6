import { describe, expect, test } from "bun:test";
import { checkEngine } from "./diagnosis.ts";
import { FakeEngine } from "./testing/fake-engine.ts";

async function diagnosed(version: unknown) {
  using fake = new FakeEngine(({ path }) => {
    if (path === "/_ping") return new Response("OK");
    return path === "/version" ? Response.json(version) : undefined;
  });
  return (await checkEngine({ DOCKER_HOST: fake.endpoint.host }))[0];
}

describe("checkEngine()", () => {
  test("names Docker and its API", async () => {
    const finding = await diagnosed({ Version: "26.1.5", ApiVersion: "1.45" });
    expect(finding).toMatchObject({ ok: true, what: "container engine" });
    expect(finding?.detail).toMatch(/^Docker 26\.1\.5, API 1\.45, at unix:/);
  });

  test("says of Podman what does not work there, and does not refuse it", async () => {
    const Components = [{ Name: "Podman Engine", Version: "4.3.1" }];
    const finding = await diagnosed({ Version: "4.3.1", ApiVersion: "1.41", Components });
    expect(finding?.ok).toBe(true);
    expect(finding?.detail).toContain("Podman 4.3.1");
    expect(finding?.detail).toContain("fusion-cpu-starvation cannot be injected");
  });

  test("refuses an engine that is too old, with the rule", async () => {
    const finding = await diagnosed({ Version: "19.3", ApiVersion: "1.40" });
    expect(finding).toMatchObject({ ok: false });
    expect(finding?.detail).toContain("must be 1.41 or later");
  });

  test("a machine without an engine lacks nothing", async () => {
    const [finding] = await checkEngine({ DOCKER_HOST: "unix:///nowhere.sock" });
    expect(finding).toMatchObject({ ok: true });
    expect(finding?.detail).toContain("none answers at unix:///nowhere.sock");
  });

  test("an address that cannot be asked is a fault", async () => {
    const [finding] = await checkEngine({ DOCKER_HOST: "ssh://host" });
    expect(finding).toMatchObject({ ok: false });
  });
});
