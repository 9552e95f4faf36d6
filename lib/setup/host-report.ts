/** What of the project runs on this machine, in words: for `doctor`. */
import { engineAnswers, findEngine } from "../base/container-engine.ts";
import { processEnv } from "../base/env.ts";
import { type Host, isWsl, obstacles, thisHost } from "../sandbox/obstacles.ts";

export interface HostFinding {
  readonly what: string;
  /** Whether there is a way to do it here. */
  readonly ok: boolean;
  readonly detail: string;
}

export interface HostProbes {
  readonly platform: string;
  readonly host: Host;
  /** Whether a container engine answers. */
  readonly engineAnswers: () => Promise<boolean>;
}

const here: HostProbes = {
  platform: process.platform,
  host: thisHost,
  engineAnswers: async () => engineAnswers(findEngine(processEnv())),
};

export async function describeHost(probes: HostProbes = here): Promise<HostFinding[]> {
  return [await describeLab(probes), describeExaminations(probes)];
}

async function describeLab({ platform, host, engineAnswers: hasEngine }: HostProbes) {
  const what = "lab";
  const found = platform === "linux" ? obstacles(host) : [otherThanLinux(platform)];
  const system = platform === "linux" && isWsl(host.read) ? "WSL2: " : "";
  if (found.length === 0) {
    const limits = host.uid === 0 ? "as root" : "without root, limits by this user's systemd";
    return { what, ok: true, detail: `${system}in namespaces, ${limits}` };
  }
  const ok = await hasEngine();
  const instead = ok
    ? "containers run it (--engine docker)"
    : "no container engine answers either: start Docker (or Podman with its socket)";
  return { what, ok, detail: `${system}not in namespaces: ${found.join("; ")}; ${instead}` };
}

const otherThanLinux = (platform: string): string =>
  `they need Linux, and this is ${platform === "darwin" ? "macOS" : platform}`;

/** Recorded incidents need neither namespaces nor the system under test. */
function describeExaminations({ host }: HostProbes): HostFinding {
  const what = "recorded incidents";
  if (host.has("prometheus")) return { what, ok: true, detail: "can be examined and reported" };
  const how = "prometheus must be on the PATH to examine them (on macOS `brew install prometheus`)";
  return { what, ok: true, detail: `${how}; reports need nothing` };
}
