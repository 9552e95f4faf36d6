import { afterAll, describe, expect, test } from "bun:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { EnvironmentError } from "../../base/errors.ts";
import { run } from "../../base/shell.ts";
import { whyNoRoom } from "../../sandbox/room/room.ts";
import { agentSettings } from "../confined/settings.ts";
import { conduct } from "./conduct.ts";
import { AnswerSchema } from "../../contract/answer.ts";
import type { Investigation, InvestigationInput } from "../investigator.ts";
import { simulatedAlert } from "../testing/system.ts";
import { toolsetFor } from "../toolbox.ts";
import { Examination } from "./examination.ts";
import { createExecInvestigator, type ExecOptions } from "./exec.ts";
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
    const { outcome } = await examined(async () => {}, 5000);
    expect(outcome).toEqual({
      kind: "agent-failure",
      reason: "the 5 s of the investigation are over",
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

const NO_ROOM = "this is a test of the other way";
const whyNot = await whyNoRoom();
const WAYS: readonly (readonly [string, ExecOptions])[] = [
  ...(whyNot === undefined ? [["in a room", {}] as const] : []),
  ["unconfined", { noRoom: NO_ROOM }],
];

async function execute(script: string, options: ExecOptions, wallMs?: number) {
  const lines: string[] = [];
  const investigator = createExecInvestigator(script, options);
  return { result: await investigator.investigate(inputFor(lines, wallMs)), lines };
}

/** A program that asks one tool and prints the answer. */
const AGENT = `curl -s "$TOOLS_URL/tools/promql" -d '{"query":"container_state"}' >&2; echo '${JSON.stringify(ANSWER)}'`;

describe.each(WAYS)("a program %s", (way, options) => {
  test("gets alert and addresses, and its answer cites what it asked", async () => {
    const { result, lines } = await execute(`cat > alert; ${AGENT}`, options);
    expect(result.outcome).toEqual({ kind: "answered", answer: ANSWER });
    expect(lines.join("\n")).toContain('stderr: {"call_id":"E1"');
    expect(result.details["unconfined"]).toBe(way === "unconfined");
    if (way === "unconfined") expect(lines).toContain(`not confined: ${NO_ROOM}`);
  });

  test("finds the tools described, the alert, the telemetry, and the rules of the endpoint", async () => {
    const { result } = await execute(
      `set -e
      test "$(curl -s "$TOOLS_URL/alert" | grep -c '"alert_name":"Sensor down"')" = 1
      test "$(curl -s "$TOOLS_URL/tools" | grep -c submit_rca)" = 1
      test "$(curl -s -o /dev/null -w '%{http_code}' "$TOOLS_URL/tools/promql" -d '[]')" = 400
      test "$(curl -s -o /dev/null -w '%{http_code}' "$TOOLS_URL/tools/nothing" -d '{}')" = 422
      test "$(curl -s -o /dev/null -w '%{http_code}' "$PROMETHEUS_URL/api/v1/query?query=up")" = 200
      test -n "$MCP_URL$LOKI_URL$TEMPO_URL$GRAFANA_URL$BUDGET_SECONDS"
      ${AGENT}`,
      options,
    );
    expect(result.outcome.kind).toBe("answered");
    expect(result.details["telemetry_reads"]).toBe(1);
  });

  test("may hand in its answer at the endpoint instead", async () => {
    const answer = JSON.stringify({ ...ANSWER, evidence: [] });
    const { result } = await execute(
      `curl -s "$TOOLS_URL/tools/submit_rca" -d '${answer}'`,
      options,
    );
    expect(result.outcome.kind).toBe("answered");
  });

  test("sees nothing of who started it: an empty folder, and only variables that it was given", async () => {
    const settings = agentSettings(
      { agentEnv: ["MY_KEY"] },
      { MY_KEY: "kept", SUDO_COMMAND: "bun runner.ts memory-leak", OTHER_KEY: "x" },
    );
    const { result } = await execute(
      `set -e; test -z "$(ls -A)"; test "$MY_KEY" = kept; test -z "$OTHER_KEY"
      env | sed 's/=.*//' | grep -Evx 'PATH|HOME|USER|LANG|LC_ALL|TZ|PWD|OLDPWD|SHLVL|_|MY_KEY|BUDGET_SECONDS|(TOOLS|MCP|GRAFANA|PROMETHEUS|LOKI|TEMPO)_URL' >&2 && exit 5
      ${AGENT}`,
      { ...options, settings },
    );
    expect(result.outcome).toMatchObject({ kind: "answered" });
  });

  const failures: readonly (readonly [string, string, RegExp])[] = [
    ["that fails", "echo broken >&2; exit 3", /^the program exited with 3$/],
    ["that is not there", "no-such-agent", /^the program exited with 127: it was not found/],
    ["that says nothing", "true", /^the program wrote no JSON object: ""$/],
    ["that says no JSON", "echo the radar did it", /^the program wrote no JSON object/],
    ["that says another shape", `echo '{"cause":"radar"}'`, /^not an answer: faults: must be/],
    ["that kills itself", "kill -9 $$", /^the program was ended by SIGKILL$/],
    ["that floods its output", "head -c 3000000 /dev/zero", /^the program wrote no JSON object/],
  ];
  for (const [name, script, reason] of failures) {
    test(`${name} has failed, and it is said why`, async () => {
      const { result } = await execute(script, options);
      expect(result.outcome).toMatchObject({
        kind: "agent-failure",
        reason: expect.stringMatching(reason),
      });
    });
  }

  test("that does not end is ended with all that it started", async () => {
    const mark = `64.${process.pid}`;
    const { result, lines } = await execute(`sleep ${mark} & wait`, options, 1500);
    expect(result.outcome).toMatchObject({
      reason: "the 1.5 s of the investigation are over",
    });
    expect(lines.join("\n")).not.toContain("accepted");
    expect((await run(["pgrep", "-f", `sleep ${mark}`])).stdout).toBe("");
  });

  test("whose answer is taken is ended, whatever it still holds", async () => {
    const answer = JSON.stringify({ ...ANSWER, evidence: [] });
    const script = `curl -s "$TOOLS_URL/tools/submit_rca" -d '${answer}'; exec 9<>/dev/tcp/x 2>/dev/null; sleep 600`;
    const startedMs = performance.now();
    const { result } = await execute(script, options);
    expect(result.outcome.kind).toBe("answered");
    expect(performance.now() - startedMs).toBeLessThan(20_000);
  });

  test("whose citations do not hold loses them", async () => {
    const { result } = await execute(`echo '${JSON.stringify(ANSWER)}'`, options);
    expect(result.struckCitations).toBe(1);
    expect(result.outcome).toMatchObject({ kind: "answered", answer: { evidence: [] } });
  });
});

test("an error in the middle of an examination is the agent's failure: it cannot void its run", async () => {
  const broken = conduct(inputFor([]), () => Promise.reject(new RangeError("too deep")));
  expect((await broken).outcome).toEqual({
    kind: "agent-failure",
    reason: "the examination of this agent broke: too deep",
  });
  const lacking = conduct(inputFor([]), () => Promise.reject(new EnvironmentError("no room")));
  await expect(lacking).rejects.toThrow("no room");
});

test("calls with endless arguments are refused, and notes of them are short", async () => {
  const lines: string[] = [];
  const input = inputFor(lines);
  const examination = new Examination(input, toolsetFor(input));
  expect(await examination.call("promql", { query: "x".repeat(20_000) })).toMatchObject({
    ok: false,
    text: expect.stringContaining("at most 16384 characters"),
  });
  await examination.call("promql", { query: "y".repeat(10_000) });
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(1100);
});
