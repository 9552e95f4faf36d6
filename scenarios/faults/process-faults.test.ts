/** Tests faults of a process or its network on a process of the test. */
import { afterEach, describe, expect, test } from "bun:test";
import { run } from "../../lib/base/shell.ts";
import { type Observation, waitUntil } from "../../lib/base/wait.ts";
import type { Lab } from "../../lib/lab/lab.ts";
import { busyHost } from "./busy-host.ts";
import { crashAgain } from "./crash-again.ts";
import { delayPackets, dropPackets } from "./network-rule.ts";
import { restartService } from "./restart-service.ts";
import { signalProcess } from "./signal-process.ts";

const SERVICE = "eo-sensor";
const log = (): void => {};
const left: Bun.Subprocess[] = [];
afterEach(() => {
  for (const child of left.splice(0)) child.kill("SIGKILL");
});

/** A lab with one service, which is a sleeping process in its own network. */
function sleepingLab() {
  let starts = 0;
  let child: Bun.Subprocess | undefined;
  const start = (): Promise<void> => {
    starts++;
    child = Bun.spawn(["unshare", "--net", "sleep", "60"], { stdout: "ignore" });
    left.push(child);
    return Promise.resolve();
  };
  const isRunning = (): boolean => child?.exitCode === null && child.signalCode === null;
  const lab = {
    start,
    replace: start,
    state: () =>
      Promise.resolve({
        state: isRunning() ? "running" : "exited",
        pid: isRunning() ? (child?.pid ?? null) : null,
        exitCode: child?.exitCode ?? null,
        canonical: isRunning(),
      }),
  } as unknown as Lab;
  void start();
  const context = { lab, prometheus: {} as never, log };
  return { context, starts: () => starts, pid: () => child?.pid ?? 0 };
}

const holds = async (look: () => Promise<Observation<unknown>>): Promise<void> => {
  await waitUntil(look, { what: "the effect", deadlineMs: 5000, intervalMs: 20 });
};

test("a process that is stopped is continued, and the healer may be called twice", async () => {
  const { context, starts } = sleepingLab();
  const fault = signalProcess({ service: SERVICE, signal: "SIGSTOP" });
  const heal = await fault.inject(context);
  await holds(() => fault.probe(context));
  await heal(log);
  await heal(log);
  expect((await fault.probe(context)).ok).toBe(false);
  expect(starts()).toBe(1);
});

test("a process that is killed is started again, once", async () => {
  const { context, starts } = sleepingLab();
  const fault = signalProcess({ service: SERVICE, signal: "SIGKILL" });
  const heal = await fault.inject(context);
  await holds(() => fault.probe(context));
  await heal(log);
  await heal(log);
  expect(starts()).toBe(2);
});

test("a process that crashes again and again ends with its healer", async () => {
  const { context, starts } = sleepingLab();
  const fault = crashAgain({ service: SERVICE, everySeconds: 0.05 });
  const heal = await fault.inject(context);
  await waitUntil(() => ({ ok: starts() > 3, seen: String(starts()) }), {
    what: "crashes",
    deadlineMs: 10_000,
  });
  await heal(log);
  const after = starts();
  await heal(log);
  expect((await context.lab.state(SERVICE)).state).toBe("running");
  expect(starts()).toBe(after);
});

describe.if(process.getuid?.() === 0)("the network of a process", () => {
  const rulesIn = async (pid: number): Promise<string> =>
    (await run(["nsenter", `--net=/proc/${pid}/ns/net`, "iptables", "--list-rules"])).stdout;

  test("loses what a rule says until it is healed, and only there", async () => {
    const { context, pid } = sleepingLab();
    const fault = dropPackets(SERVICE, "OUTPUT -p udp");
    // The process creates its network before it sleeps.
    const own = (await run(["readlink", "/proc/self/ns/net"])).stdout;
    await holds(async () => {
      const { stdout } = await run(["readlink", `/proc/${pid()}/ns/net`]);
      return { ok: stdout !== own && stdout !== "", seen: stdout };
    });
    const heal = await fault.inject(context);
    expect((await fault.probe(context)).ok).toBe(true);
    expect(await rulesIn(pid())).toContain("-A OUTPUT -p udp -j DROP");
    await heal(log);
    await heal(log);
    expect(await rulesIn(pid())).not.toContain("DROP");
  });

  test("refuses by name what this kernel lacks", async () => {
    const { context } = sleepingLab();
    const problem = await delayPackets(SERVICE, 100, 30)
      .inject(context)
      .then(
        () => "",
        (error: Error) => error.message,
      );
    // The new network has no eth0, and some kernels no netem: the error names either.
    expect(problem).toMatch(/^Cannot run `nsenter .* tc qdisc add dev eth0 .*netem delay 100ms/);
  });
});

test("what burns processor time ends with the healer", async () => {
  const context = sleepingLab().context;
  const fault = busyHost({ burners: 2 });
  const heal = await fault.inject(context);
  expect((await fault.probe(context)).ok).toBe(true);
  await heal(log);
  await heal(log);
  expect((await fault.probe(context)).seen).toBe("0 of 2 burn");
});

test("a restart leaves nothing to undo", async () => {
  const { context, starts } = sleepingLab();
  const fault = restartService({ service: SERVICE });
  const heal = await fault.inject(context);
  await heal(log);
  expect([starts(), (await fault.probe(context)).ok]).toEqual([2, true]);
});
