import type { ServiceName } from "../../lib/contract/topology.ts";
import type { SignatureView } from "../define.ts";
import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { instanceOf, scraped } from "../signs.ts";

/** With fewer records, a share has no significance. */
const MIN_RECORDS = 8;

/** The share of the records counted by the current process that the log store has. */
async function storedShare(
  service: ServiceName,
  { lab, prometheus }: SignatureView,
): Promise<number | undefined> {
  const ask = async (query: string): Promise<number> =>
    (await prometheus.instant(query))[0]?.value ?? 0;
  const written = await ask(
    `sum(cms_log_records_total{job="cms-services",instance="${instanceOf(service)}"})`,
  );
  const seconds = await ask(`time() - container_start_time_seconds{name="${service}"}`);
  if (written < MIN_RECORDS) return undefined;
  const query = new URLSearchParams({
    query: `sum(count_over_time({service_name="${service}"}[${Math.ceil(seconds)}s]))`,
  });
  const address = `http://localhost:${lab.ports.loki}/loki/api/v1/query?${query.toString()}`;
  const answer = (await (await fetch(address)).json()) as {
    readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
  };
  return Number(answer.data.result[0]?.value[1] ?? 0) / written;
}

export const kind = defineKind({
  title: "Only a share of $amount of the log records of $service is exported",
  faultClass: "monitoring_fault",
  alsoAccept: [{ culprit: "telemetry", why: "the service itself works" }],
  changes: "process",
  // The other services write too few records.
  targets: ["command-center", "effector-manager"],
  intensity: { unit: "share that is exported", min: 0, max: 0.6 },
  fault: (service, share) => replaceService({ service, env: { CMS_LOG_SHARE: String(share) } }),
  signature: (service) => [
    {
      what: "share of its records that is stored",
      query: `sum(cms_log_records_total{job="cms-services",instance="${instanceOf(service)}"})`,
      measure: (view) => storedShare(service, view),
      op: "<",
      value: 0.75,
    },
    {
      what: "records written",
      query: `sum(cms_log_records_total{job="cms-services",instance="${instanceOf(service)}"})`,
      op: ">",
      value: MIN_RECORDS,
    },
    { ...scraped(service, 1), shows: { kind: "metric", signal: "up", service, asUsual: true } },
  ],
  alerts: () => [],
  deadlines: { signatureMs: 120_000 },
});
