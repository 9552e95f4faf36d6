import { describe, expect, test } from "bun:test";
import { waitUntil } from "../../base/wait.ts";
import { LABEL, ORDERLY_END } from "./layout.ts";
import { FakeEngine } from "./testing/fake-engine.ts";

/** An engine with one container, one network and one volume of a project until they are removed. */
function engineWithLab(): { fake: FakeEngine; removed: Set<string> } {
  const removed = new Set<string>();
  const left = <T extends { readonly Id: string }>(item: T): T[] =>
    removed.has(item.Id) ? [] : [item];
  const fake = new FakeEngine(({ method, path }) => {
    if (method === "DELETE") {
      removed.add(/^\/\w+\/(\w+)/.exec(path)?.[1] ?? path);
      return new Response(null, { status: 204 });
    }
    if (!path.includes(`${LABEL.project}=cms-lab-7`)) return Response.json([]);
    if (path.startsWith("/containers/json")) {
      return Response.json(left({ Id: "c1", Names: [], State: "running", Labels: {} }));
    }
    if (path.startsWith("/networks")) return Response.json(left({ Id: "n1" }));
    const volumes = removed.has("v1") ? null : [{ Name: "v1" }];
    return path.startsWith("/volumes") ? Response.json({ Volumes: volumes }) : undefined;
  });
  return { fake, removed };
}

const daemonOf = (fake: FakeEngine): Bun.Subprocess<"pipe", "inherit", "inherit"> =>
  Bun.spawn([process.execPath, `${import.meta.dir}/daemon.ts`, "cms-lab-7", fake.endpoint.host], {
    stdin: "pipe",
    stdout: "inherit",
    stderr: "inherit",
  });

describe("the daemon of a lab that lives with its caller", () => {
  test("removes containers, networks and volumes when the caller's end of the pipe closes", async () => {
    const { fake, removed } = engineWithLab();
    using _ = fake;
    const daemon = daemonOf(fake);
    expect(fake.asked).toEqual([]);
    await daemon.stdin.end();
    await waitUntil(() => ({ ok: removed.size === 3, seen: [...removed].join(" ") }), {
      what: "everything to be removed",
      deadlineMs: 20_000,
    });
    expect(await daemon.exited).toBe(0);
  });

  test("removes nothing after an orderly end: the project's name may have gone to the next lab", async () => {
    const { fake } = engineWithLab();
    using _ = fake;
    const daemon = daemonOf(fake);
    void daemon.stdin.write(ORDERLY_END);
    await daemon.stdin.end();
    expect(await daemon.exited).toBe(0);
    expect(fake.asked).toEqual([]);
  });
});
