import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { finished } from "../investigate/finished.ts";
import type { Investigator } from "../investigate/investigator.ts";
import { bundleBySeed, examineBlind } from "./blind.ts";
import type { RunContext } from "./context.ts";
import { bundlesIn } from "./recorded-incident.ts";

const INCIDENTS = new URL("../../results/incidents", import.meta.url).pathname;
const results = mkdtempSync(`${tmpdir()}/blind-`);
afterAll(() => rmSync(results, { recursive: true, force: true }));

test("a seed chooses a bundle, the same one each time, and seeds choose all of them", () => {
  const bundles = bundlesIn([INCIDENTS]);
  const chosen = Array.from({ length: 100 }, (_, seed) => bundleBySeed(bundles, seed));
  expect(bundleBySeed(bundles, 7)).toBe(chosen[7] ?? "");
  expect(new Set(chosen)).toEqual(new Set(bundles));
});

describe.skipIf(Bun.which("prometheus") === null)("a blind examination (needs Prometheus)", () => {
  test("shows neither incident nor seed nor scenario before it has ended", async () => {
    const [lines, prefixes]: [string[], string[]] = [[], []];
    const context: RunContext = {
      signal: new AbortController().signal,
      progress: (prefix = "") => {
        prefixes.push(prefix);
        return { line: (text) => lines.push(text), waiting: () => {}, settle: () => {} };
      },
      claimLab: () => undefined,
      createLab: () => {
        throw new Error("an examination starts no lab");
      },
    };
    let shown = "";
    const investigator: Investigator = {
      name: "looks-around",
      investigate: (input) => {
        shown = `${lines.join("\n")}\n${prefixes.join("\n")}\n${JSON.stringify(input.alert)}`;
        const answer = { faults: [], mechanism: "", onset: null, causal_chain: [], evidence: [] };
        return Promise.resolve(
          finished({ answer: { ...answer, confidence: 0.5, alternatives: [] } }),
        );
      },
    };
    const seed = 4_071_886_133;
    const request = { paths: [INCIDENTS], seed, investigator, results };
    const { manifests } = await examineBlind(context, request);
    const [manifest] = manifests;
    expect(manifest?.outcome).toEqual({ kind: "valid" });
    expect(shown).toContain("looks-around examines incident hidden");
    for (const secret of [manifest?.incident, manifest?.scenario, String(seed)]) {
      expect(secret).toMatch(/./);
      expect(shown).not.toContain(secret ?? "");
    }
    expect(lines.at(-1)).toBe(`it was incident ${manifest?.incident}, chosen by seed ${seed}`);
  });
});
