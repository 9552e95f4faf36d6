/**
 * What is checked in every machine as every user: a lab's whole life, with three kinds of faults.
 */
import { EnvironmentError } from "../../../../base/errors.ts";
import type { LabStatus } from "../../../lab.ts";
import type { Account, BootedMachine } from "./machine.ts";

/** As whom the lab runs: the account, and how it calls the command line. */
export interface Way {
  readonly name: "root" | "sudo" | "ordinary user";
  readonly account: Account;
  readonly sudo: boolean;
}

export const WAYS: readonly Way[] = [
  { name: "root", account: "root", sudo: false },
  { name: "sudo", account: "user", sudo: true },
  { name: "ordinary user", account: "plain", sudo: false },
];

/** A machine that is emulated needs minutes for what takes a laptop seconds. */
const STEP_TIMEOUT_MS = 15 * 60_000;

export class Checks {
  readonly #machine: BootedMachine;
  readonly #way: Way;
  readonly #bun: string;

  /** `bun` is the package and version for npx. */
  constructor(machine: BootedMachine, way: Way, bun: string) {
    this.#machine = machine;
    this.#way = way;
    this.#bun = bun;
  }

  /** The steps, in order; each throws when it does not hold. */
  steps(): readonly (readonly [name: string, step: () => Promise<void>])[] {
    return [
      ["up", () => this.#up()],
      ["ps by the checkout's owner", () => this.#seenByOwner()],
      ["a process fault", () => this.#processFault()],
      ["a quota fault", () => this.#quotaFault()],
      ["a partition", () => this.#partition()],
      ["down", () => this.#down()],
      ["nothing is left", () => this.#nothingIsLeft()],
      ["no service of Debian's runs", () => this.#noService()],
      ["the checkout is its owner's", () => this.#checkoutIsOwners()],
    ];
  }

  #sh(script: string, account = this.#way.account): Promise<string> {
    return this.#machine.mustRun(account, `cd lab && ${script}`, STEP_TIMEOUT_MS);
  }

  #bunRun(words: string, sudo = this.#way.sudo): Promise<string> {
    return this.#sh(`${sudo ? "sudo " : ""}npx --yes ${this.#bun} ${words}`);
  }

  async #status(sudo = this.#way.sudo): Promise<LabStatus> {
    const text = await this.#bunRun("runner.ts ps --json 2>/dev/null", sudo);
    const status = JSON.parse(text) as LabStatus | null;
    if (status === null) throw new EnvironmentError("the lab is not up");
    return status;
  }

  /** Injects a scenario's fault, holds the service's state against `holds`, and heals it. */
  async #fault(scenario: string, service: string, holds: (text: string) => boolean): Promise<void> {
    await this.#bunRun(`runner.ts inject ${scenario}`);
    const broken = (await this.#status()).services.find((one) => one.service === service);
    const seen = JSON.stringify(broken);
    if (broken?.canonical !== false || !holds(seen)) {
      throw new EnvironmentError(`${service} must be broken by ${scenario}, but is ${seen}`);
    }
    await this.#bunRun("runner.ts cleanup");
    const { services } = await this.#status();
    const left = services.filter(({ canonical }) => !canonical).map((one) => one.service);
    if (left.length > 0) throw new EnvironmentError(`not healed: ${left.join(", ")}`);
  }

  async #up(): Promise<void> {
    await this.#bunRun("run up");
    const picture = await this.#sh("curl -s localhost:18080/api/picture");
    const { track_count: tracks } = JSON.parse(picture) as { track_count: number };
    if (tracks !== 3) throw new EnvironmentError(`three tracks expected, seen ${tracks}`);
  }

  async #seenByOwner(): Promise<void> {
    const { services } = await this.#status(false);
    const states = services.map(({ state }) => state);
    if (states.some((state) => state !== "running")) throw new EnvironmentError(states.join(", "));
  }

  #processFault(): Promise<void> {
    return this.#fault("sensor-down", "radar-sensor", (text) => text.includes('"state":"exited"'));
  }

  /** The command itself waits until the kernel holds the service back. */
  #quotaFault(): Promise<void> {
    return this.#fault("fusion-cpu-starvation", "track-fusion", (text) =>
      /"cpuQuotaCores":0\.\d+/.test(text),
    );
  }

  #partition(): Promise<void> {
    return this.#fault("network-partition", "esm-sensor", (text) =>
      text.includes('"network":"detached"'),
    );
  }

  async #down(): Promise<void> {
    await this.#bunRun("run down");
  }

  async #nothingIsLeft(): Promise<void> {
    const look = [
      "find /run /run/user /sys/fs/cgroup -maxdepth 7 -name 'cms-lab-[0-9]*' 2>/dev/null",
      "ps ax -o args= | grep -E 'native/(daemon|supervisor)[.]ts' | grep -v grep",
    ].join("; ");
    await this.#mustBeEmpty(`sleep 2; { ${look}; } || true`, "root");
  }

  async #noService(): Promise<void> {
    const look =
      "systemctl is-enabled prometheus 2>/dev/null | grep -x enabled; ss -Hltn 'sport = :9090'";
    await this.#mustBeEmpty(`{ ${look}; } || true`, "root");
  }

  async #checkoutIsOwners(): Promise<void> {
    await this.#mustBeEmpty('find . ! -user "$(id -un)" | head -5', this.#way.account);
  }

  async #mustBeEmpty(script: string, account: Account): Promise<void> {
    const inPlace = account === this.#way.account ? this.#sh(script) : undefined;
    const text = await (inPlace ?? this.#machine.mustRun(account, script, STEP_TIMEOUT_MS));
    if (text !== "") throw new EnvironmentError(`nothing may be there, but there is:\n  ${text}`);
  }
}
