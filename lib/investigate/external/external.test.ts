import { afterAll, describe, expect, test } from "bun:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { processEnv } from "../../base/env.ts";
import { AnswerSchema } from "../../contract/answer.ts";
import type { Investigation, InvestigationInput, Investigator } from "../investigator.ts";
import { simulatedAlert } from "../testing/system.ts";
import { toolsetFor } from "../toolbox.ts";
import { Examination } from "./examination.ts";
import { createExecInvestigator } from "./exec.ts";
import { createMcpInvestigator } from "./mcp.ts";

/** A Prometheus in which one sensor's process has exited. */
const telemetry = Bun.serve({
  port: 0,
  fetch: (request) => {
    const query = new URL(request.url).searchParams.get("query") ?? "";
    const metric = { __name__: "container_state", name: "eo-sensor", state: "exited" };
    const result = query === "container_state" ? [{ metric, value: [1, "1"] }] : [];
    return query === "bad("
      ? Response.json({ status: "error", error: "unclosed left parenthesis" }, { status: 400 })
      : Response.json({ status: "success", data: { resultType: "vector", result } });
  },
});
afterAll(() => telemetry.stop(true));

const ALERT = simulatedAlert("Sensor down", "eo-sensor", "No scrape for 30 seconds.");
const CITATION = {
  call_id: "E1",
  signal: "container_state",
  service: "eo-sensor",
  value: 1,
  claim: "its process has exited",
};
const ANSWER = AnswerSchema.parse({
  culprit: "eo-sensor",
  fault_class: "process_exited",
  mechanism: "It exited.",
  onset: null,
  causal_chain: [],
  evidence: [CITATION],
  remediation: { action: "start_service", target: "eo-sensor", parameters: {}, prose: "Start it." },
  confidence: 0.9,
  alternatives: [],
});

function inputFor(lines: string[], wallMs = 20_000): InvestigationInput {
  const base = telemetry.url.origin;
  return {
    alert: ALERT,
    urls: { grafana: base, prometheus: base, loki: base, tempo: base },
    budget: { wallMs, rounds: 5, tokens: 1000 },
    seed: 1,
    transcript: {
      phase: (phase, detail) => lines.push(`${phase}: ${detail ?? ""}`),
      note: (line) => lines.push(line),
    },
  };
}

/** Runs `agent` over the protocol and returns the investigation. */
async function examined(
  agent: (client: Client, transport: StreamableHTTPClientTransport, url: string) => Promise<void>,
  wallMs?: number,
): Promise<Investigation> {
  const listening = Promise.withResolvers<string>();
  const investigator = createMcpInvestigator({
    onListening: (url) => listening.resolve(url),
    ...(wallMs === undefined ? {} : { wallMs }),
  });
  const result = investigator.investigate(inputFor([]));
  const client = new Client({ name: "test", version: "1" });
  const url = await listening.promise;
  const transport = new StreamableHTTPClientTransport(new URL(url));
  await client.connect(transport);
  await agent(client, transport, url);
  const investigation = await result;
  await client.close();
  return investigation;
}

interface ToolReply {
  readonly text: string;
  readonly isError: boolean;
}

async function call(client: Client, name: string, args: object = {}): Promise<ToolReply> {
  const reply = await client.callTool({ name, arguments: { ...args } });
  const [first] = reply.content as { text: string }[];
  return { text: first?.text ?? "", isError: reply.isError === true };
}

describe("over the Model Context Protocol", () => {
  test("an agent reads the alert, asks the tools, and its answer is taken", async () => {
    const { outcome, evidence, cost } = await examined(async (client) => {
      const { tools } = await client.listTools();
      const names = tools.map(({ name }) => name);
      expect(names.slice(0, 2)).toEqual(["get_alert", "submit_rca"]);
      expect(names).toContain("promql");
      const alert = await call(client, "get_alert");
      expect(JSON.parse(alert.text)).toMatchObject({ alert_name: "Sensor down" });
      const { text } = await call(client, "promql", { query: "container_state" });
      expect(JSON.parse(text)).toMatchObject({ call_id: "E1", facts: [{ value: 1 }] });
      expect((await call(client, "submit_rca", ANSWER)).isError).toBe(false);
    });
    expect(outcome).toEqual({ kind: "answered", answer: ANSWER });
    expect(evidence).toHaveLength(1);
    expect(cost.toolCalls).toBe(1);
  });

  test("wrong names, arguments, queries and answers are sent back with the rule", async () => {
    const { outcome } = await examined(async (client) => {
      expect(await call(client, "shell", { query: "ls" })).toMatchObject({
        isError: true,
        text: expect.stringContaining("there is no tool shell; the tools are inventory"),
      });
      expect(await call(client, "compare", { service: "mainframe" })).toMatchObject({
        isError: true,
        text: expect.stringContaining("wrong arguments for compare"),
      });
      expect(await call(client, "promql", { query: "bad(" })).toMatchObject({
        isError: true,
        text: expect.stringContaining("unclosed left parenthesis"),
      });
      expect(await call(client, "submit_rca", { cause: "mainframe" })).toMatchObject({
        isError: true,
        text: expect.stringContaining("not an answer"),
      });
      await call(client, "submit_rca", { ...ANSWER, evidence: [] });
    });
    expect(outcome.kind).toBe("answered");
  });

  test("citations that do not hold are sent back once, then struck out and counted", async () => {
    const { outcome, struckCitations } = await examined(async (client) => {
      await call(client, "promql", { query: "container_state" });
      const invented = { ...CITATION, call_id: "E7" };
      const answer = { ...ANSWER, evidence: [CITATION, invented] };
      const first = await call(client, "submit_rca", answer);
      expect(first).toMatchObject({ isError: true });
      expect(first.text).toContain("there is no call E7");
      expect((await call(client, "submit_rca", answer)).isError).toBe(false);
    });
    expect(struckCitations).toBe(1);
    expect(outcome).toMatchObject({ kind: "answered", answer: { evidence: [CITATION] } });
  });

  test("a client that ends its session without an answer has failed", async () => {
    const { outcome } = await examined(async (client, transport) => {
      await call(client, "get_alert");
      await transport.terminateSession();
    });
    expect(outcome).toEqual({
      kind: "agent-failure",
      reason: "the client ended its session after 1 calls without an accepted answer",
    });
  });

  test("so has one whose time is over", async () => {
    const { outcome } = await examined(async () => {}, 200);
    expect(outcome).toEqual({
      kind: "agent-failure",
      reason: "the 0.2 s of the investigation are over",
    });
  });

  test("an unknown session is refused in the protocol's own words", async () => {
    await examined(async (client, _, url) => {
      const reply = await fetch(url, {
        method: "POST",
        headers: { "mcp-session-id": "nobody", "content-type": "application/json" },
        body: "{}",
      });
      expect(reply.status).toBe(404);
      await call(client, "submit_rca", { ...ANSWER, evidence: [] });
    });
  });
});

test("after an accepted answer there is nothing more to say", async () => {
  const input = inputFor([]);
  const examination = new Examination(input, toolsetFor(input));
  expect(examination.submit({ ...ANSWER, evidence: [] }).ok).toBe(true);
  expect(examination.submit(ANSWER)).toMatchObject({
    ok: false,
    text: expect.stringContaining("is over"),
  });
  expect(await examination.call("get_alert", {})).toMatchObject({ ok: false });
});

async function execute(
  script: string,
  { wallMs, env = {} }: { wallMs?: number; env?: Record<string, string> } = {},
) {
  const lines: string[] = [];
  const investigator: Investigator = createExecInvestigator(script, {
    env: { PATH: processEnv()["PATH"], ...env },
  });
  return { result: await investigator.investigate(inputFor(lines, wallMs)), lines };
}

/** A program that asks one tool and prints the answer. */
const AGENT = `curl -s "$TOOLS_URL/tools/promql" -d '{"query":"container_state"}' >&2; echo '${JSON.stringify(ANSWER)}'`;

describe("a program", () => {
  test("gets alert and addresses, and its answer cites what it asked", async () => {
    const { result, lines } = await execute(`cat > alert; ${AGENT}`);
    expect(result.outcome).toEqual({ kind: "answered", answer: ANSWER });
    expect(lines.join("\n")).toContain('stderr: {"call_id":"E1"');
  });

  test("finds the tools described, the alert, and the rules of the endpoint", async () => {
    const { result } = await execute(`
      set -e
      test "$(curl -s "$TOOLS_URL/alert" | grep -c '"alert_name":"Sensor down"')" = 1
      test "$(curl -s "$TOOLS_URL/tools" | grep -c submit_rca)" = 1
      test "$(curl -s -o /dev/null -w '%{http_code}' "$TOOLS_URL/tools/promql" -d '[]')" = 400
      test "$(curl -s -o /dev/null -w '%{http_code}' "$TOOLS_URL/tools/nothing" -d '{}')" = 422
      test -n "$PROMETHEUS_URL$LOKI_URL$TEMPO_URL$GRAFANA_URL$BUDGET_SECONDS"
      ${AGENT}`);
    expect(result.outcome.kind).toBe("answered");
  });

  test("may hand in its answer at the endpoint instead", async () => {
    const answer = JSON.stringify({ ...ANSWER, evidence: [] });
    const { result } = await execute(`curl -s "$TOOLS_URL/tools/submit_rca" -d '${answer}'`);
    expect(result.outcome.kind).toBe("answered");
  });

  test("sees nothing of who started it: an empty folder, no variable of ours", async () => {
    const env = { npm_lifecycle_script: "x", PWD: "/x", CMS_X: "x", MY_KEY: "kept" };
    const { result } = await execute(
      `set -e; test -z "$(ls -A)"; test -z "$npm_lifecycle_script$CMS_X"; test "$MY_KEY" = kept; ${AGENT}`,
      { env },
    );
    expect(result.outcome.kind).toBe("answered");
  });

  const failures: readonly (readonly [string, string, RegExp])[] = [
    ["that fails", "echo broken >&2; exit 3", /^the program exited with 3$/],
    ["that is not there", "no-such-agent", /^the program exited with 127$/],
    ["that says nothing", "true", /^the program wrote no JSON object: ""$/],
    ["that says no JSON", "echo the radar did it", /^the program wrote no JSON object/],
    ["that says another shape", `echo '{"cause":"radar"}'`, /^not an answer: faults: must be/],
    ["that kills itself", "kill -9 $$", /^the program was ended by SIGKILL$/],
    ["that floods its output", "head -c 3000000 /dev/zero", /^the program wrote no JSON object/],
  ];
  for (const [name, script, reason] of failures) {
    test(`${name} has failed, and it is said why`, async () => {
      const { result } = await execute(script);
      expect(result.outcome).toMatchObject({
        kind: "agent-failure",
        reason: expect.stringMatching(reason),
      });
    });
  }

  test("that does not end is ended with all that it started", async () => {
    const { result, lines } = await execute("sleep 300 & echo $! >&2; wait", { wallMs: 300 });
    expect(result.outcome).toMatchObject({
      reason: "the 0.3 s of the investigation are over",
    });
    expect(lines.join("\n")).not.toContain("accepted");
  });

  test("whose citations do not hold loses them", async () => {
    const { result } = await execute(`echo '${JSON.stringify(ANSWER)}'`);
    expect(result.struckCitations).toBe(1);
    expect(result.outcome).toMatchObject({ kind: "answered", answer: { evidence: [] } });
  });
});
