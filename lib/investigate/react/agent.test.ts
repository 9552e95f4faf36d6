import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { AnswerSchema } from "../../contract/answer.ts";
import type { Budget } from "../investigator.ts";
import { connectTo } from "../model/connect.ts";
import {
  type ChatRequestSeen,
  type Reply,
  type ScriptedServer,
  type ScriptedServerOptions,
  startScriptedServer,
} from "../model/testing/scripted-server.ts";
import { estimateTokens } from "../model/text.ts";
import { SIMULATED_INCIDENTS, type SimulatedIncident } from "../testing/incidents.ts";
import { Simulation } from "../testing/simulation.ts";
import { createReactInvestigator, DEFAULT_CALLS } from "./agent.ts";
import { instructions } from "./prompt.ts";

const BUDGET: Budget = { wallMs: 20_000, rounds: 5, tokens: 200_000 };
const [GONE] = SIMULATED_INCIDENTS as [SimulatedIncident];

const ANSWER = {
  culprit: "eo-sensor",
  fault_class: "process_exited",
  mechanism: "Its process ended.",
  onset: null,
  causal_chain: [],
  evidence: [],
  remediation: { action: "start_service", target: "eo-sensor", parameters: {}, prose: "Start it." },
  confidence: 0.7,
  alternatives: [],
};

const simulation = await Simulation.start([GONE.system]);
const servers: ScriptedServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server[Symbol.asyncDispose]()));
});
afterAll(() => simulation[Symbol.asyncDispose]());
setDefaultTimeout(60_000);

interface Setting {
  readonly calls?: number;
  readonly budget?: Partial<Budget>;
  readonly server?: Partial<ScriptedServerOptions>;
  readonly env?: Readonly<Record<string, string>>;
  /** Uses the server through OpenAI's wire format. */
  readonly endpoint?: boolean;
}

async function investigate(reply: ScriptedServerOptions["reply"], setting: Setting = {}) {
  const { calls = DEFAULT_CALLS, endpoint = false, env = {} } = setting;
  const { tools, urls, at } = simulation.of(GONE.system);
  const server = startScriptedServer({ reply, ...setting.server });
  servers.push(server);
  const { connect } = connectTo({
    env: { OLLAMA_HOST: server.url, ...env },
    model: "scripted:1b",
    ...(endpoint ? { url: `${server.url}/v1` } : {}),
  });
  const lines: string[] = [];
  const investigator = createReactInvestigator({ name: "react:x", calls, connect, tools });
  const result = await investigator.investigate({
    alert: at(GONE.alert),
    urls,
    budget: { ...BUDGET, ...setting.budget },
    seed: 1,
    transcript: {
      phase: (phase, detail) => lines.push(`${phase}: ${detail ?? ""}`),
      note: (line) => lines.push(line),
    },
  });
  return { result, lines, chats: server.chats };
}

/** Returns these replies in order, then repeats the last one. */
const script =
  (...replies: readonly Reply[]) =>
  (_: ChatRequestSeen, n: number): Reply =>
    replies[Math.min(n, replies.length - 1)] as Reply;

const call = (name: string, args: object = {}): Reply => ({ calls: [{ name, arguments: args }] });
const textCall = (tool: string, args: object = {}): Reply => ({ say: { tool, arguments: args } });
const EXITED = { query: 'container_state{state="exited"} == 1' };
const CITED = {
  ...ANSWER,
  evidence: [
    { call_id: "E1", signal: "container_state", service: "eo-sensor", value: 1, claim: "exited" },
  ],
};

const lastMessage = (chat: ChatRequestSeen | undefined): string =>
  chat?.messages.at(-1)?.content ?? "";

describe.each([
  ["Ollama's", false],
  ["OpenAI's", true],
])("the plain agent over %s wire format", (_, endpoint) => {
  test("asks with native tool calls and hands in an answer whose citations hold", async () => {
    const { result, chats, lines } = await investigate(
      script(call("promql", EXITED), call("submit_rca", CITED)),
      { endpoint },
    );
    expect(result.outcome).toEqual({ kind: "answered", answer: AnswerSchema.parse(CITED) });
    expect(result.evidence.map(({ tool }) => tool)).toEqual(["promql"]);
    expect(result.details).toMatchObject({
      calls: 2,
      invalid_calls: 0,
      native_tools: true,
      forced: false,
    });
    expect(result.cost).toMatchObject({ modelCalls: 2, toolCalls: 1, rounds: 2 });
    expect(result.cost.promptTokens).toBeGreaterThan(0);
    const [first, second] = chats;
    expect(first?.tools?.map(({ function: { name } }) => name)).toEqual([
      "submit_rca",
      "inventory",
      "alerts",
      "compare",
      "catalogue",
      "promql",
      "promql_range",
      "logql",
      "traceql",
      "trace",
    ]);
    expect(second?.messages.at(-1)?.role).toBe("tool");
    expect(lastMessage(second)).toContain("container_state eo-sensor state=exited: 1");
    expect(lastMessage(second)).toContain("(9 calls left)");
    expect(lines.join("\n")).toContain("model:  promql");
  });

  test("writes a JSON action a message where the model takes no tools", async () => {
    const { result, chats } = await investigate(
      script(textCall("promql", EXITED), textCall("submit_rca", CITED)),
      { endpoint, server: { capabilities: ["completion"] } },
    );
    expect(result.outcome.kind).toBe("answered");
    expect(result.details).toMatchObject({ native_tools: false, calls: 2 });
    expect(chats[0]?.tools).toBeUndefined();
    expect(chats[0]?.messages[0]?.content).toContain('{"tool": …, "arguments": {…}}');
    expect(JSON.stringify(chats[0]?.format)).toContain('"submit_rca"');
    expect(lastMessage(chats[1])).toContain("container_state eo-sensor");
  });

  test("must hand in an answer when its calls are used up", async () => {
    const { result, chats } = await investigate(
      (request, n) =>
        lastMessage(request).startsWith("No calls are left")
          ? endpoint
            ? call("submit_rca", ANSWER)
            : { say: ANSWER }
          : call("promql", { query: `up + ${n}` }),
      { endpoint, calls: 3 },
    );
    expect(result.outcome.kind).toBe("answered");
    expect(result.evidence).toHaveLength(3);
    expect(result.details).toMatchObject({ calls: 3, forced: true });
    const last = chats.at(-1);
    if (endpoint) expect(JSON.stringify(last?.tool_choice)).toContain("submit_rca");
    else expect(JSON.stringify(last?.format)).toContain("fault_class");
  });
});

describe("the budget", () => {
  test("all results of ten calls together fit 6,000 tokens, and what is cut is said", async () => {
    const { result, chats } = await investigate((request, n) =>
      lastMessage(request).startsWith("No calls are left")
        ? { say: ANSWER }
        : n % 2 === 0
          ? call("compare", { service: "all" })
          : call("promql_range", { query: `container_memory_usage_bytes * ${n}` }),
    );
    const results = (chats.at(-1)?.messages ?? []).filter(({ role }) => role === "tool");
    expect(results).toHaveLength(DEFAULT_CALLS);
    const tokens = results.map(({ content }) => estimateTokens(content));
    expect(tokens.reduce((sum, one) => sum + one, 0)).toBeLessThan(6000 + 10 * 10);
    expect(Math.min(...tokens)).toBeGreaterThan(100);
    expect(results.map(({ content }) => content).join()).toMatch(/\d+ lines are cut/);
    expect(Number(result.details["results_cut"])).toBeGreaterThan(4);
  });

  test("a short context leaves less for the results, and it is said", async () => {
    const { lines } = await investigate(script(call("submit_rca", ANSWER)), {
      env: { OLLAMA_CONTEXT_LENGTH: "8192" },
    });
    expect(lines.join("\n")).toMatch(/a context of 8192 tokens leaves \d+ for results/);
  });

  test("the instructions stay below 6 kB, and say nothing of what a fault looks like", () => {
    const text = instructions(DEFAULT_CALLS);
    expect(Buffer.byteLength(text)).toBeLessThan(6000);
    expect(text).not.toMatch(/container_|cms_|throttled_seconds/);
  });

  test("wrong calls cost calls and are counted", async () => {
    const { result, chats } = await investigate(
      script(
        call("shell", { command: "ls" }),
        call("promql", { expr: "up" }),
        { say: "I think it is the radar." },
        call("submit_rca", { culprit: 7 }),
        call("submit_rca", ANSWER),
      ),
    );
    expect(result.outcome.kind).toBe("answered");
    expect(result.details).toMatchObject({ calls: 5, invalid_calls: 4 });
    expect(lastMessage(chats[1])).toContain("there is no tool shell");
    expect(lastMessage(chats[2])).toContain("wrong arguments for promql");
    expect(lastMessage(chats[3])).toContain("That is no call of a tool");
    expect(lastMessage(chats[4])).toContain("these fields break their rules");
  });

  test("several calls in one message are answered one by one, and not beyond the budget", async () => {
    const three = [1, 2, 3].map((n) => ({ name: "promql", arguments: { query: `up * ${n}` } }));
    const { result, chats } = await investigate(
      (request) =>
        lastMessage(request).startsWith("No calls are left") ? { say: ANSWER } : { calls: three },
      { calls: 2 },
    );
    expect(result.evidence).toHaveLength(2);
    expect(chats.at(-1)?.messages.filter(({ role }) => role === "tool")).toHaveLength(3);
  });

  test("a citation that does not hold is sent back once, then struck out and counted", async () => {
    const invented = { ...CITED, evidence: [{ ...CITED.evidence[0], call_id: "E9" }] };
    const { result } = await investigate(script(call("submit_rca", invented)));
    expect(result.struckCitations).toBe(1);
    expect(result.outcome).toMatchObject({ kind: "answered", answer: { evidence: [] } });
  });
});

describe("a model that cannot", () => {
  test("one that never calls anything ends as a stated failure of the agent", async () => {
    const { result } = await investigate(script({ say: "Hello!" }), { calls: 2 });
    expect(result.outcome).toEqual({
      kind: "agent-failure",
      reason: "no answer: Write the analysis as one JSON object.",
    });
    expect(result.details).toMatchObject({ calls: 2, invalid_calls: 2, forced: true });
  });

  test("one that fails after it stated a confidence fails with that confidence", async () => {
    const { result } = await investigate(
      script(call("submit_rca", { ...ANSWER, evidence: 7, confidence: 0.9 }), {
        status: 500,
        error: "out of memory",
      }),
    );
    expect(result.outcome).toMatchObject({ kind: "agent-failure", confidence: 0.9 });
  });

  test("one that repeats itself without end loses that call only", async () => {
    const { result } = await investigate(
      script({ repeat: "and so on " }, call("submit_rca", ANSWER)),
    );
    expect(result.outcome.kind).toBe("answered");
    expect(result.details).toMatchObject({ invalid_calls: 1 });
  });

  const failures: readonly (readonly [string, Setting, Reply, RegExp])[] = [
    ["is not pulled", { server: { models: [] } }, { say: "" }, /^not-pulled/],
    ["is not served", { server: { models: [] }, endpoint: true }, { say: "" }, /^not-pulled/],
    ["is unreachable", { env: { OLLAMA_HOST: "http://127.0.0.1:9" } }, { say: "" }, /^unreachable/],
    ["fails", { endpoint: true }, { status: 500, error: "out of memory" }, /^server-error/],
    ["has no tokens left", { budget: { tokens: 10 } }, { say: "" }, /^budget/],
  ];
  test.each(failures)("one that %s", async (_, setting, reply, reason) => {
    const { result } = await investigate(script(reply), setting);
    expect(result.outcome).toMatchObject({
      kind: "agent-failure",
      reason: expect.stringMatching(reason),
    });
  });
});

test("a model with native calls that writes its call as text is understood", async () => {
  const { result } = await investigate(
    script(
      { say: '```json\n{"name": "promql", "arguments": {"query": "up"}}\n```' },
      { say: { function: { name: "submit_rca", arguments: JSON.stringify(ANSWER) } } },
    ),
  );
  expect(result.outcome.kind).toBe("answered");
  expect(result.evidence).toHaveLength(1);
});

test("alone: the alert and the topology, no tool, one answer", async () => {
  const { result, chats } = await investigate(script({ say: ANSWER }), { calls: 0 });
  expect(result.outcome.kind).toBe("answered");
  expect(result.evidence).toEqual([]);
  expect(chats).toHaveLength(1);
  expect(chats[0]?.tools).toBeUndefined();
  const prompt = chats[0]?.messages.map(({ content }) => content).join("\n") ?? "";
  expect(prompt).toContain("eo-sensor:9100 has not answered a scrape");
  expect(prompt).toContain("-> track-fusion");
  expect(prompt).not.toContain("promql");
});
