/** Starts the lab, or makes every service of a running one canonical again. */
import { type LabPorts, TOPOLOGY } from "../../contract/topology.ts";
import { refuseClaimed, refuseToDisturb } from "../../run/labs.ts";
import type { CommandDefinition } from "../command.ts";
import { labOf, type LabOptions, withLab } from "../options.ts";
import { table } from "../table.ts";

export const up: CommandDefinition<LabOptions, []> = {
  word: "up",
  help: "start the lab; returns when three tracks are in the picture",
  declare: withLab,
  action: async (context, options) => {
    const lab = labOf(context, options);
    const progress = context.progress();
    progress.line(`engine: ${lab.engine}, lab ${options.lab}`);
    const before = await lab.status();
    if (before === null) refuseClaimed(context, options.lab);
    else refuseToDisturb(before);
    const startedMs = performance.now();
    await lab.up({
      keepTelemetry: true,
      signal: context.signal,
      onProgress: (line) => progress.line(line),
    });
    const seconds = (performance.now() - startedMs) / 1000;
    progress.line(
      before === null
        ? `three tracks in the picture after ${seconds.toFixed(1)} s`
        : "the lab was up already; every service is canonical",
    );
    const { engine } = lab;
    const rows = addresses(lab.ports);
    if (options.json) context.print(JSON.stringify({ engine, addresses: rows }, null, 2));
    else {
      const cells = rows.map(({ surface, url }) => [surface, url]);
      context.print(table(["surface", "address"], cells));
    }
    return 0;
  },
};

/** The lab's addresses for users, the most useful first. */
function addresses(ports: LabPorts): { readonly surface: string; readonly url: string }[] {
  const local = (port: number, path = ""): string => `http://localhost:${port}${path}`;
  return [
    { surface: "tactical display", url: local(ports.display) },
    { surface: "tactical picture", url: local(ports.display, "/api/picture") },
    ...(ports.telemetry === undefined
      ? [{ surface: "console", url: local(ports.console) }]
      : [
          { surface: "Grafana", url: local(ports.console) },
          { surface: "console", url: local(ports.telemetry) },
        ]),
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
