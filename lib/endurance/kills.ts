/**
 * Kills a random process with SIGKILL every three seconds: services, Prometheus, telemetry server,
 * supervisor, daemon, and a program that examines incidents, which also gets Ctrl-C. The lab must
 * recover or report exactly what is down; kept examinations must stay unchanged.
 */
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { DeadlineError, messageOf, UserFacingError } from "../base/errors.ts";
import type { Prng } from "../base/prng.ts";
import { waitUntil } from "../base/wait.ts";
import { median } from "../base/figure.ts";
import { SERVICES } from "../contract/topology.ts";
import type { Lab, LabStatus } from "../lab/lab.ts";
import { PARTS } from "../lab/native/layout.ts";
import { type Examinations, startExaminations } from "./examinations.ts";
import type { Figure } from "./figure.ts";
import { leftoversOf, type Member, membersOf } from "./footprint.ts";

export interface KillsOptions {
  readonly lab: Lab;
  readonly index: number;
  readonly projectDir: string;
  readonly minutes: number;
  readonly prng: Prng;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

const KILL_EVERY_MS = 3000;
/** A status request during a restart of the lab waits for it. */
const TOLD_DEADLINE_MS = 20_000;
const HEALED_DEADLINE_MS = 120_000;
/** Services, parts, supervisor, daemon and the examination. */
const USUAL_CANDIDATES = SERVICES.length + PARTS.length + 3;
/** At the end, after the last kill. */
const LAST_HEAL_S = 60;

/** Results of the kills so far. */
class Tally {
  kills = 0;
  heals = 0;
  /** Kills that the status did not report in time. */
  readonly untold: string[] = [];
  /** Processes that ended without being killed here. */
  readonly unexplained = new Set<string>();
  /** Errors of the lab that are no UserFacingError. */
  readonly defects: string[] = [];
  readonly healSeconds: number[] = [];
}

export async function killAtRandom(options: KillsOptions): Promise<Figure[]> {
  const { lab, index, projectDir, minutes, signal, say } = options;
  const results = await mkdtemp(join(tmpdir(), "kills-"));
  const tally = new Tally();
  await lab.up({ keepTelemetry: false, signal, onProgress: say });
  using examinations = startExaminations({ projectDir, results, say });
  try {
    const killing = new AbortController();
    const healing = healForEver(options, tally, killing.signal);
    await killFor(minutes * 60_000, options, tally, examinations);
    killing.abort();
    await healing;
    const lastHeal = await heal(options, tally);
    const whole = await lab.status();
    const isFinished = await examinations.finish();
    await lab.down();
    const left = leftoversOf(projectDir, index);
    return [
      ...labFigures(tally, minutes, lastHeal, whole),
      ...resultFigures(examinations, isFinished),
      names("left behind after down", left),
    ];
  } finally {
    rmSync(results, { recursive: true, force: true });
  }
}

async function killFor(
  durationMs: number,
  { lab, prng, signal, say }: KillsOptions,
  tally: Tally,
  examinations: Examinations,
): Promise<void> {
  const endMs = systemClock.monotonicMs() + durationMs;
  const told: Promise<void>[] = [];
  const deaths = new Deaths();
  while (systemClock.monotonicMs() < endMs && !signal.aborted) {
    const status = await statusOf(lab);
    const members = status === null ? [] : membersOf(status);
    const others = status === null ? [] : deaths.others(status);
    for (const name of others) tally.unexplained.add(name);
    const examiner = examinations.pid();
    const candidates = [
      ...members,
      ...(examiner === undefined ? [] : [{ name: "examination", pid: examiner }]),
    ];
    // While there is no lab, the examination is not killed more often than otherwise.
    const places = Math.max(candidates.length, USUAL_CANDIDATES);
    const victim = candidates[Math.floor(prng.next() * places)];
    // Ctrl-C is sent to the program that a person started.
    const signalName = victim?.pid === examiner && prng.next() < 0.5 ? "SIGINT" : "SIGKILL";
    if (victim !== undefined && kill(victim, signalName)) {
      tally.kills++;
      deaths.caused(victim);
      say(`${signalName} to ${victim.name}`);
      if (members.includes(victim)) told.push(untilTold(lab, victim, tally));
    }
    await systemClock.sleep(KILL_EVERY_MS);
  }
  await Promise.all(told);
}

function kill({ pid }: Member, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    // It has ended in the meantime.
    return false;
  }
}

/** A lab that is ending or restarting may not answer for a moment. */
async function statusOf(lab: Lab): Promise<LabStatus | null> {
  try {
    return await lab.status();
  } catch (error) {
    if (error instanceof UserFacingError) return null;
    throw error;
  }
}

/** Separates deaths caused here from others. */
class Deaths {
  readonly #killed = new Set<number>();
  /** The last known process of each service. */
  readonly #pids = new Map<string, number>();

  caused({ pid }: Member): void {
    this.#killed.add(pid);
  }

  /** The services that are down without having been killed here. */
  others({ services }: LabStatus): string[] {
    for (const { service, pid } of services) if (pid !== null) this.#pids.set(service, pid);
    return services
      .filter(({ service, state }) => {
        const pid = this.#pids.get(service);
        return state === "exited" && pid !== undefined && !this.#killed.has(pid);
      })
      .map(({ service, exitCode }) => `${service} exited with ${exitCode}`);
  }
}

/**
 * Waits until the status reports the death: the process has exited or was replaced, or the lab is
 * gone.
 */
async function untilTold(lab: Lab, { name, pid }: Member, tally: Tally): Promise<void> {
  try {
    await waitUntil(
      async () => {
        const status = await statusOf(lab);
        const now = (status === null ? [] : membersOf(status)).find((one) => one.name === name);
        return { ok: now?.pid !== pid, seen: `${name} still runs as ${pid}` };
      },
      { what: `the death of ${name} to be told`, deadlineMs: TOLD_DEADLINE_MS, intervalMs: 100 },
    );
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    tally.untold.push(messageOf(error));
  }
}

/** Repairs the lab whenever something is down; a kill during the repair is an error for users. */
async function healForEver(
  options: KillsOptions,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const status = await statusOf(options.lab);
    if (status === null || isDown(status)) await heal(options, tally);
    await systemClock.sleep(200);
  }
}

const isDown = ({ services, parts }: LabStatus): boolean =>
  services.some(({ canonical }) => !canonical) || parts.some(({ state }) => state === "exited");

/** Starts the lab with repeated tries; returns the seconds until it is up. */
async function heal({ lab, say }: KillsOptions, tally: Tally): Promise<number> {
  const startedMs = systemClock.monotonicMs();
  const secondsSince = (): number => (systemClock.monotonicMs() - startedMs) / 1000;
  while (secondsSince() * 1000 < HEALED_DEADLINE_MS) {
    try {
      await lab.up({ keepTelemetry: true });
      tally.heals++;
      tally.healSeconds.push(secondsSince());
      return secondsSince();
    } catch (error) {
      if (!(error instanceof UserFacingError)) tally.defects.push(String(error));
      say(`not healed yet: ${messageOf(error)}`);
    }
  }
  return secondsSince();
}

function labFigures(
  tally: Tally,
  minutes: number,
  lastHealSeconds: number,
  whole: LabStatus | null,
): Figure[] {
  const { kills, heals, untold, unexplained: odd, defects, healSeconds } = tally;
  const down = whole === null ? ["the lab"] : isDown(whole) ? ["some program"] : [];
  return [
    {
      name: "kills",
      value: kills,
      // Each kill is preceded by a check of the lab.
      limit: Math.floor((minutes * 60_000) / KILL_EVERY_MS / 2),
      atLeast: true,
      unit: "",
    },
    {
      name: "times the lab was made whole",
      value: heals,
      limit: 1,
      atLeast: true,
      unit: "",
      note: `median ${median(healSeconds).toFixed(1)} s, slowest ${Math.max(...healSeconds).toFixed(1)} s`,
    },
    names("kills that the status did not tell of", untold),
    names("programs that ended unkilled", [...odd]),
    names("errors that are no user's", defects),
    { name: "last heal", value: lastHealSeconds, limit: LAST_HEAL_S, unit: "s" },
    names("down after the last heal", down),
  ];
}

const resultFigures = ({ counts, problems }: Examinations, isFinished: boolean): Figure[] => [
  {
    name: "examinations kept",
    value: counts.kept,
    limit: 1,
    atLeast: true,
    unit: "",
    note: `${counts.started} programs`,
  },
  names("results lost, changed or torn", problems),
  {
    name: "examinations complete at the end",
    value: Number(isFinished),
    limit: 1,
    atLeast: true,
    unit: "",
  },
];

const names = (name: string, list: readonly string[]): Figure => ({
  name,
  value: list.length,
  limit: 0,
  unit: "",
  note: list[0] ?? "",
});
