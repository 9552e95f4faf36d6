/**
 * Limits of normal values in this system. The tool `inventory` tells them to every investigator, so
 * no investigator's rules use numbers that others cannot know.
 */

interface Norm {
  readonly value: number;
  /** Text that follows the number. */
  readonly text: string;
}

const norm = (value: number, text: string): Norm => ({ value, text });

export const NORMS = {
  floodRatio: norm(4, "times its nominal rate or more: a sensor floods its readers"),
  outputRatio: norm(2, "times what it takes in: more than a consumer sends out"),
  flowRatio: norm(
    3,
    "times fewer messages per second than before, or more than nominal: out of order",
  ),
  flowRate: norm(1, "message per second: a slower flow varies by chance"),
  deepQueueSeconds: norm(1, "s of all sensors' nominal input waiting: a queue that does not drain"),
  slowSeconds: norm(0.1, "s for an item (p95): slow"),
  throttledShare: norm(0.05, "s held back per second: a processor quota is felt"),
  idleCores: norm(0.01, "cores: a process below does no work"),
  silentBytes: norm(200, "bytes per second received: below, the interface is cut off"),
  leakBytes: norm(150_000, "bytes per second of growth: above, memory leaks"),
  leakWarmUpSeconds: norm(90, "s after its start: until then memory grows anyway"),
  leakSteadySeconds: norm(120, "s of growth without a pause: a leak"),
  leakBeforeKillSeconds: norm(60, "s of growth before a kill for memory: it leaked"),
  leakGrowth: norm(1.2, "times its former memory: a process has grown"),
  limitShare: norm(0.5, "of its memory limit in use: a process in order stays below"),
  loopStarts: norm(2, "starts within ten minutes beyond those of the others: a crash loop"),
  arrivingShare: norm(0.6, "of what a publisher should send arrives: below, it is mute or slow"),
  recordRate: norm(20, "log records per second: above, a service floods the log"),
  lateServices: norm(2, "sensors that warn often at once: more than their own trouble"),
  oftenPerMinute: norm(3, "warnings of a service in a minute: more than a moment of other load"),
  usualTracks: norm(3, "tracks, one for each target: what is more are ghosts"),
  killedExitCode: norm(137, "as exit code: signal 9 ended the process"),
} as const satisfies Readonly<Record<string, Norm>>;

/** The norms as lines of text. */
export const normLines = (): string[] =>
  Object.values<Norm>(NORMS).map(({ value, text }) => `${value} ${text}`);
