/**
 * Renders the rubric of a scenario for its expected_rca.md; `bun scenarios/rubric.ts <name>` prints
 * it.
 */
import { maxPoints, type Truth } from "../lib/truth/truth.ts";

/** Measurements of a value, in words. */
const MEASURED = {
  rate: "per second",
  duration: "as p95 or mean",
  least: "at its least",
  count: "as the number of series",
} as const;

/** Renders the section that expected_rca.md must contain. */
export function renderRubric(truth: Truth): string {
  const culprits = truth.faults.map(({ culprit, other_end }) =>
    other_end === undefined ? `\`${culprit}\`` : `\`${culprit}\` or \`${other_end}\``,
  );
  const service = culprits.join(" and ") || "no service (nothing is wrong)";
  const evidence = truth.evidence.map((item) => {
    const ways = item.any_of.map(({ signal, labels = {}, holds, as, service: of }) => {
      const set = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
      const name = `\`${signal}${set.length === 0 ? "" : `{${set.join(",")}}`}\``;
      const measured = as === undefined ? name : `${name} ${MEASURED[as]}`;
      const whose = of === undefined ? measured : `${measured} of \`${of}\``;
      return holds === undefined ? whose : `${whose} ${holds.op} ${holds.value}`;
    });
    const about = item.service === undefined ? "" : ` of \`${item.service}\``;
    const mechanism = item.shows_mechanism === true ? " (the mechanism)" : "";
    return `| +1 | ${item.describe}${mechanism} | ${ways.join(", or ")}${about} |`;
  });
  const remedies = truth.faults.map(({ remediation: { actions, target } }) => {
    const fitting = actions.map((action) => `\`${action}\``).join(" or ");
    return `${fitting} on \`${target}\``;
  });
  const wrong = truth.misattributions.map(({ culprit, fault_class, points, why }) => {
    const what = culprit === undefined ? `the class \`${fault_class}\`` : `\`${culprit}\``;
    return `| ${String(points).replace("-", "−")} | names ${what} | ${why} |`;
  });
  const classes = truth.faults.map(({ fault_class, also_accept }) => {
    const others = also_accept.map(({ culprit, fault_class: other = fault_class, why }) => {
      const whose = culprit === undefined ? "" : ` of \`${culprit}\``;
      return ` (\`${other}\`${whose} counts too: ${why})`;
    });
    return `\`${fault_class}\`${others.join("")}`;
  });
  return [
    "## Rubric",
    "",
    `Fault class: ${classes.join(" and ") || "`none`"}. At most ${maxPoints(truth)} points.`,
    "",
    "| points | for | shown by |",
    "| --- | --- | --- |",
    `| +1 | the right service | ${service} |`,
    ...evidence,
    `| +1 | the right remediation | ${remedies.join(" and ") || "`no_action`"} |`,
    ...wrong,
    "| −1 | each source that does not exist | a citation that the record does not bear out |",
  ].join("\n");
}

if (import.meta.main) {
  const name = Bun.argv[2] ?? "";
  const { truth } = (await import(`./${name}/truth.ts`)) as { truth: Truth };
  process.stdout.write(`${renderRubric(truth)}\n`);
}
