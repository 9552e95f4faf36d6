import { changeOrHeal, type Fault } from "../define.ts";

/** CPU seconds after which a burner ends by itself. */
const LONGEST_SECONDS = 1800;
const HIGHEST_PRIORITY = -10;

/** Starts programs on the lab's machine that use all available CPU time. */
export function busyHost(parameters: { readonly burners: number }): Fault {
  const { burners } = parameters;
  let running: Bun.Subprocess[] = [];
  // A single process without children that ends with this one, so that no load remains after a
  // kill.
  const burner = [
    "setpriv",
    "--pdeathsig",
    "KILL",
    "nice",
    "-n",
    String(HIGHEST_PRIORITY),
    "sh",
    "-c",
    `ulimit -t ${LONGEST_SECONDS}; while :; do :; done`,
  ];
  const end = async (): Promise<void> => {
    for (const each of running) each.kill("SIGKILL");
    await Promise.all(running.map(({ exited }) => exited));
    running = [];
  };
  return {
    kind: "busy-host",
    parameters,
    inject: ({ log }) =>
      changeOrHeal(
        log,
        async () => {
          running = Array.from({ length: burners }, () =>
            Bun.spawn(burner, { stdin: "ignore", stdout: "ignore", stderr: "ignore" }),
          );
          await Promise.resolve(log(`${burners} programs burn processor time`));
        },
        async (say) => {
          await end();
          say("nothing burns processor time any more");
        },
      ),
    probe: () => {
      const alive = running.filter(({ exitCode }) => exitCode === null).length;
      return Promise.resolve({ ok: alive === burners, seen: `${alive} of ${burners} burn` });
    },
    remedied: (action, target) =>
      action === "relieve_host" && target === "host" ? end : undefined,
  };
}
