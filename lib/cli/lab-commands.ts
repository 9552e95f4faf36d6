/** Commands about a lab: up, down, ps, logs, cleanup. */
import { TOPOLOGY, type LabPorts, type ServiceName } from "../contract/topology.ts";
import type { Lab, LabStatus } from "../lab/lab.ts";
import type { LabOptions } from "./command-line.ts";
import { type CommandContext, refuseToDisturb } from "../run/context.ts";
import { createProgress } from "../run/progress.ts";
import { table } from "./table.ts";

const labOf = (context: CommandContext, { engine, lab: index }: LabOptions): Lab =>
  context.createLab({ engine, index, lifetime: "until-down" });

export async function up(context: CommandContext, options: LabOptions): Promise<number> {
  const lab = labOf(context, options);
  const progress = createProgress({});
  progress.line(`engine: ${lab.engine}, lab ${options.lab}`);
  const before = await lab.status();
  if (before !== null) refuseToDisturb(before);
  const wasUp = before !== null;
  const startedMs = performance.now();
  await lab.up({
    keepTelemetry: true,
    signal: context.signal,
    onProgress: (line) => progress.line(line),
  });
  const seconds = (performance.now() - startedMs) / 1000;
  progress.line(
    wasUp
      ? "the lab was up already; every service is canonical"
      : `three tracks in the picture after ${seconds.toFixed(1)} s`,
  );
  const rows = addresses(lab.ports);
  if (options.json) context.print(JSON.stringify({ engine: lab.engine, addresses: rows }, null, 2));
  else
    context.print(
      table(
        ["surface", "address"],
        rows.map(({ surface, url }) => [surface, url]),
      ),
    );
  return 0;
}

export async function down(context: CommandContext, options: LabOptions): Promise<number> {
  const lab = labOf(context, options);
  await lab.down();
  createProgress({}).line("the lab is down; nothing is left of it");
  return 0;
}

export async function ps(context: CommandContext, options: LabOptions): Promise<number> {
  const status = await labOf(context, options).status();
  if (options.json) {
    context.print(JSON.stringify(status, null, 2));
    return 0;
  }
  if (status === null) {
    context.print("the lab is not up");
    return 0;
  }
  context.print(statusTable(status));
  return 0;
}

export async function logs(
  context: CommandContext,
  service: string,
  options: LabOptions & { readonly lines: number },
): Promise<number> {
  context.print(await labOf(context, options).logs(service as ServiceName, options.lines));
  return 0;
}

/** Makes every service canonical again, whatever an interrupted run has left. */
export async function cleanup(context: CommandContext, options: LabOptions): Promise<number> {
  const lab = labOf(context, options);
  const progress = createProgress({});
  const status = await lab.status();
  if (status === null) {
    // A lab that lived with the program that died is gone with it; this removes what is left in files.
    await lab.down();
    progress.line("the lab is not up; nothing is left of it");
    return 0;
  }
  refuseToDisturb(status);
  await lab.up({ signal: context.signal, onProgress: (line) => progress.line(line) });
  progress.line("every service is canonical");
  return 0;
}

function statusTable({ services, parts }: LabStatus): string {
  const rows = services.map((service) => [
    service.service,
    service.state,
    service.pid === null ? "" : String(service.pid),
    service.exitCode === null ? "" : String(service.exitCode),
    service.network,
    service.cpuQuotaCores === null ? "" : `${service.cpuQuotaCores} cores`,
    service.memoryLimitBytes === null
      ? ""
      : `${Math.round(service.memoryLimitBytes / 2 ** 20)} MiB`,
    service.canonical ? "yes" : "no",
  ]);
  const others = parts.map(({ name, state, pid }) => [
    name,
    state,
    pid === null ? "" : String(pid),
    "",
    "",
    "",
    "",
    "",
  ]);
  return table(
    ["name", "state", "pid", "exit", "network", "cpu quota", "memory limit", "canonical"],
    [...rows, ...others],
  );
}

/** What a user may open, in the order in which it is useful. */
export function addresses(ports: LabPorts): { readonly surface: string; readonly url: string }[] {
  const local = (port: number, path = ""): string => `http://localhost:${port}${path}`;
  return [
    { surface: "tactical display", url: local(ports.display) },
    { surface: "tactical picture", url: local(ports.display, "/api/picture") },
    { surface: "console", url: local(ports.console) },
    { surface: "Prometheus", url: local(ports.prometheus) },
    { surface: "Loki API", url: local(ports.loki) },
    { surface: "Tempo API", url: local(ports.tempo) },
    { surface: "OTLP gRPC", url: local(ports.otlpGrpc) },
    { surface: "OTLP HTTP", url: local(ports.otlpHttp) },
    ...Object.values(TOPOLOGY).map(({ name }) => ({
      surface: `${name} metrics`,
      url: local(ports.metrics[name], "/metrics"),
    })),
  ];
}
