/** Runs a program in fresh Linux namespaces. */

export interface NamespaceOptions {
  /** Adds a user namespace in which the program is root. Needs no privileges outside. */
  readonly user?: boolean;
}

/**
 * The command line that runs `argv` as the first process of a new network, pid and mount namespace.
 * The network has only a loopback interface, which is down. When that process ends, or the
 * `unshare` that started it is killed, the kernel kills every process inside, including those that
 * called `setsid`.
 */
export function inNewNamespaces(argv: readonly string[], options: NamespaceOptions = {}): string[] {
  return [
    "unshare",
    ...(options.user === true ? ["--user", "--map-root-user"] : []),
    "--net",
    "--pid",
    "--fork",
    "--mount",
    "--mount-proc",
    "--kill-child=SIGKILL",
    ...argv,
  ];
}
