import { afterEach, describe, expect, test } from "bun:test";
import { z } from "zod";
import { waitUntil } from "../../base/wait.ts";
import { Spending } from "./budget.ts";
import { ModelClient } from "./client.ts";
import type { ConnectionOptions } from "./connection.ts";
import { ModelFailure, type ModelFailureKind } from "./failure.ts";
import { type Reply, type ScriptedServer, startScriptedServer } from "./testing/scripted-server.ts";

const Choice = z.strictObject({ service: z.enum(["a", "b"]), sure: z.number().min(0).max(100) });
const RIGHT = { service: "a", sure: 80 };
const BUDGET = { wallMs: 20_000, rounds: 5, tokens: 20_000 };

const servers: ScriptedServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server[Symbol.asyncDispose]()));
});

function script(replies: readonly Reply[], capabilities?: readonly string[]): ScriptedServer {
  const server = startScriptedServer({
    ...(capabilities === undefined ? {} : { capabilities }),
    reply: (_, n) => replies[Math.min(n, replies.length - 1)] ?? { say: "" },
  });
  servers.push(server);
  return server;
}

function client(
  server: { readonly url: string },
  more: Partial<ConnectionOptions> & { readonly model?: string } = {},
): { readonly client: ModelClient; readonly spending: Spending; readonly notes: string[] } {
  const { model = "scripted:1b", spending = new Spending(BUDGET), ...rest } = more;
  const notes: string[] = [];
  const settings = { host: server.url, model, contextTokens: 4096 };
  const options = {
    settings,
    spending,
    seed: 7,
    onNote: (line: string) => notes.push(line),
    ...rest,
  };
  return { client: new ModelClient(options), spending, notes };
}

const question = {
  name: "choose",
  system: "You choose.",
  user: "a or b?",
  schema: Choice,
  maxTokens: 64,
};

async function failureOf(work: Promise<unknown>): Promise<ModelFailure> {
  const caught = await work.then(
    () => new Error("it answered"),
    (error: unknown) => error,
  );
  expect(caught).toBeInstanceOf(ModelFailure);
  return caught as ModelFailure;
}

describe("an answer that fits", () => {
  test("is streamed, parsed and accounted for, and the request says what it needs", async () => {
    const server = script([{ say: RIGHT }]);
    const { client: asked, spending } = client(server);
    expect(await asked.ask(question)).toEqual({ service: "a", sure: 80 });
    const [chat] = server.chats;
    expect(chat?.stream).toBe(true);
    expect(chat?.options).toMatchObject({
      num_ctx: 4096,
      num_predict: 64,
      temperature: 0,
      seed: 7,
    });
    expect(chat?.format).toMatchObject({ type: "object", required: ["service", "sure"] });
    expect(chat?.messages.map(({ role }) => role)).toEqual(["system", "user"]);
    const cost = spending.cost(0);
    expect(cost.modelCalls).toBe(1);
    expect(cost.promptTokens).toBe(Math.ceil("You choose.a or b?".length / 4));
    expect(cost.completionTokens).toBeGreaterThan(0);
    expect(cost.modelMs).toBeGreaterThan(0);
  });

  test("is found within prose and a code fence", async () => {
    const server = script([
      { say: `Sure!\n\`\`\`json\n${JSON.stringify(RIGHT)}\n\`\`\` {not json` },
    ]);
    expect(await client(server).client.ask(question)).toEqual({ service: "a", sure: 80 });
  });
});

describe("thinking models", () => {
  test("are told not to think", async () => {
    const server = script([{ say: RIGHT }], ["completion", "thinking"]);
    await client(server).client.ask(question);
    expect(server.chats[0]?.think).toBe(false);
  });

  test("may think all the same, in the thinking field or in the text", async () => {
    const inText = `<think>maybe {"service":"b","sure":1}</think>${JSON.stringify(RIGHT)}`;
    const server = script([{ say: inText, thinking: "hm" }], ["completion", "thinking"]);
    expect((await client(server).client.ask(question)).service).toBe("a");
  });

  test("that never get to an answer end as empty", async () => {
    const server = script([{ say: "<think>and then, and then", doneReason: "length" }]);
    expect((await failureOf(client(server).client.ask(question))).kind).toBe("empty");
    expect(server.chats.length).toBe(2);
  });
});

describe("a model without structured output", () => {
  test("gets the schema in words once the server has refused it, and the refusal costs no retry", async () => {
    const server = script([
      { status: 400, error: "this model does not support format" },
      { say: `I choose: ${JSON.stringify(RIGHT)}` },
    ]);
    const { client: asked, notes, spending } = client(server);
    expect(await asked.ask(question)).toEqual({ service: "a", sure: 80 });
    expect(await asked.details()).toMatchObject({ structured_output: false });
    expect(server.chats[1]?.format).toBeUndefined();
    expect(server.chats[1]?.messages[0]?.content).toContain('"enum":["a","b"]');
    expect(notes.join()).toContain("no JSON schema");
    expect(spending.cost(0).modelCalls).toBe(1);
  });
});

describe("what is repeated once, and then stated", () => {
  const cases: { name: string; reply: Reply; kind: ModelFailureKind; says: string }[] = [
    { name: "refusal", reply: { say: "I'm sorry, I can't." }, kind: "refusal", says: "sorry" },
    { name: "broken JSON", reply: { say: '{"service": "a",, }' }, kind: "broken-json", says: ",," },
    {
      name: "truncated JSON",
      reply: { say: '{"service": "a", "su', doneReason: "length" },
      kind: "truncated",
      says: "64 tokens",
    },
    {
      name: "a value outside the list",
      reply: { say: { service: "c", sure: 1 } },
      kind: "broken-json",
      says: "service",
    },
    {
      name: "arguments of the wrong type",
      reply: { say: { service: "a", sure: "very" } },
      kind: "broken-json",
      says: "sure",
    },
    { name: "nothing at all", reply: { say: "" }, kind: "empty", says: "stop" },
    {
      name: "endless repetition",
      reply: { repeat: "root cause " },
      kind: "repetition",
      says: "cause",
    },
    { name: "endless white space", reply: { repeat: "\n\n\t" }, kind: "repetition", says: "\\n" },
    {
      name: "a connection lost in mid-stream",
      reply: { breakAfter: "{" },
      kind: "cut-off",
      says: "",
    },
    {
      name: "a line that is no JSON",
      reply: { garbage: "<html>" },
      kind: "cut-off",
      says: "<html>",
    },
  ];
  test.each(cases)("$name", async ({ reply, kind, says }) => {
    const server = script([reply]);
    const { client: asked, notes } = client(server);
    const failure = await failureOf(asked.ask(question));
    expect(failure.kind).toBe(kind);
    expect(failure.message).toContain(says);
    expect(server.chats.length).toBe(2);
    expect(notes.length).toBe(1);
    expect(server.chats[1]?.messages.at(-1)?.content).toContain("could not be used");
  });

  test.each(cases)("$name the first time, right the second", async ({ reply }) => {
    const server = script([reply, { say: RIGHT }]);
    expect(await client(server).client.ask(question)).toEqual({ service: "a", sure: 80 });
    expect(server.chats[1]?.options).toMatchObject({ seed: 8 });
  });

  test("a loop is left, not read to its end", async () => {
    const server = script([{ repeat: "abc" }]);
    await failureOf(client(server).client.ask(question));
    await waitUntil(() => ({ ok: server.abandoned() === 2, seen: `${server.abandoned()} left` }), {
      what: "the server to notice",
      deadlineMs: 60_000,
      intervalMs: 10,
    });
  });
});

describe("what is not repeated", () => {
  test("no server", async () => {
    const failure = await failureOf(client({ url: "http://127.0.0.1:1" }).client.ask(question));
    expect(failure.kind).toBe("unreachable");
    expect(failure.message).toContain("http://127.0.0.1:1");
  });

  test("a model that is not pulled", async () => {
    const server = script([{ say: RIGHT }]);
    const failure = await failureOf(client(server, { model: "other:7b" }).client.ask(question));
    expect(failure.kind).toBe("not-pulled");
    expect(failure.message).toContain("ollama pull other:7b");
  });

  test("an error of the server, before and in the stream", async () => {
    const before = script([{ status: 500, error: "model runner has stopped" }]);
    expect((await failureOf(client(before).client.ask(question))).message).toContain("HTTP 500");
    const within = script([{ errorAfter: "{", error: "out of memory" }]);
    const failure = await failureOf(client(within).client.ask(question));
    expect(failure.kind).toBe("server-error");
    expect(failure.message).toContain("out of memory");
    expect(before.chats.length + within.chats.length).toBe(2);
  });

  test("a time-out in mid-stream, which also makes the server stop", async () => {
    const server = script([{ stallAfter: '{"service"' }]);
    const { client: asked, spending } = client(server, { callTimeoutMs: 150 });
    const failure = await failureOf(asked.ask(question));
    expect(failure.kind).toBe("timeout");
    expect(failure.message).toContain("150 ms");
    expect(spending.cost(0).promptTokens).toBeGreaterThan(0);
  });

  test("a budget that is used up", async () => {
    const server = script([{ say: RIGHT }]);
    const spending = new Spending({ wallMs: 20_000, rounds: 1, tokens: 40 });
    const { client: asked } = client(server, { spending });
    await asked.ask(question);
    const failure = await failureOf(asked.ask(question));
    expect(failure.kind).toBe("budget");
    expect(failure.message).toContain("of 40 tokens");
    expect(server.chats[0]?.options?.["num_predict"]).toBe(40);
  });

  test("a stop by the caller is passed on as it is", async () => {
    const server = script([{ stallAfter: "{" }]);
    const stop = new AbortController();
    const { client: asked } = client(server, { signal: stop.signal });
    const work = asked.ask(question);
    stop.abort(new Error("Ctrl-C"));
    await expect(work).rejects.toThrow("Ctrl-C");
  });
});

describe("the model's facts", () => {
  test("are read from the server, and the context is the smaller of asked and trained", async () => {
    const server = startScriptedServer({ contextLength: 1024, reply: () => ({ say: RIGHT }) });
    servers.push(server);
    const { client: asked } = client(server);
    expect(await asked.open()).toEndWith("context 4096 of 1024");
    expect(await asked.details()).toEqual({
      host: server.url,
      model: "scripted:1b",
      num_ctx: 4096,
      serverVersion: "0.17.4",
      trainedContextTokens: 1024,
      capabilities: ["completion", "tools"],
      parameterSize: "1B",
      quantization: "Q4_K_M",
      effective_context_tokens: 8192,
      structured_output: true,
    });
    expect(asked.roomFor("x".repeat(26), 100)).toBe(1024 - 100 - 64 - 10);
  });
});
