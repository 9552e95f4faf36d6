/**
 * A simulated Ollama for tests: it uses Ollama's wire format and replies by a script.
 *
 * It serves `/api/version`, `/api/tags`, `/api/show`, `/api/ps` and `/api/chat`, streamed (one JSON
 * object a line) or not, and the same model in OpenAI's wire format (`/v1/chat/completions`). It
 * can fail in every way that a model or its server does.
 */

/** A request to `/api/chat` or `/v1/chat/completions`. */
export interface ChatRequestSeen {
  readonly model: string;
  readonly messages: readonly {
    readonly role: string;
    readonly content: string;
    readonly tool_calls?: readonly unknown[];
  }[];
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
  readonly tool_choice?: unknown;
  readonly response_format?: { readonly json_schema?: { readonly schema?: unknown } };
  readonly stream?: boolean;
  readonly format?: unknown;
  readonly think?: unknown;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** A call of a tool. */
export interface ScriptedCall {
  readonly name: string;
  readonly arguments: object;
}

/** One scripted answer. */
export type Reply =
  /** Replies with this, in pieces when streamed; an object becomes JSON. */
  | { readonly say: string | object; readonly doneReason?: string; readonly thinking?: string }
  /** Calls these tools. */
  | { readonly calls: readonly ScriptedCall[]; readonly say?: string }
  /** An HTTP error in Ollama's shape. */
  | { readonly status: number; readonly error: string }
  /** Starts to stream, then closes the connection. */
  | { readonly breakAfter: string }
  /** Streams an error in the middle of an answer. */
  | { readonly errorAfter: string; readonly error: string }
  /** Starts to stream and then sends nothing until the client disconnects. */
  | { readonly stallAfter: string }
  /** Sends the same piece until the client disconnects. */
  | { readonly repeat: string }
  /** Streams a line that is not JSON. */
  | { readonly garbage: string };

export interface ScriptedServerOptions {
  /** Names of the models that it has. */
  readonly models?: readonly string[];
  /** Without `tools`, a request with tools is refused. */
  readonly capabilities?: readonly string[];
  readonly contextLength?: number;
  /** The reply to the n-th chat (from 0). */
  readonly reply: (request: ChatRequestSeen, n: number) => Reply | Promise<Reply>;
}

export interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
  /** Every chat so far. */
  readonly chats: readonly ChatRequestSeen[];
  /** Number of chats that the client closed before their end. */
  readonly abandoned: () => number;
}

const NO_TOOLS = "the model does not support tools";
const CREATED_AT = "2026-01-01T00:00:00.000Z";

/** Starts the server on a free loopback port. */
export function startScriptedServer(options: ScriptedServerOptions): ScriptedServer {
  const { models = ["scripted:1b"], capabilities = ["completion", "tools"] } = options;
  const { contextLength = 32_768, reply } = options;
  const chats: ChatRequestSeen[] = [];
  let abandoned = 0;
  const knows = (name: unknown): boolean => models.includes(String(name));
  const missing = (name: unknown): Response =>
    Response.json({ error: `model '${String(name)}' not found` }, { status: 404 });

  const refusesTools = ({ tools = [] }: ChatRequestSeen): boolean =>
    tools.length > 0 && !capabilities.includes("tools");

  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    routes: {
      "/api/version": Response.json({ version: "0.17.4" }),
      "/api/tags": Response.json({
        models: models.map((name) => ({ name, model: name, size: 1 })),
      }),
      "/api/ps": Response.json({
        models: models.map((name) => ({ name, model: name, context_length: 8192 })),
      }),
      "/api/show": {
        POST: async (request) => {
          const { model } = (await request.json()) as { model?: string };
          if (!knows(model)) return missing(model);
          return Response.json({
            details: { family: "qwen2", parameter_size: "1B", quantization_level: "Q4_K_M" },
            model_info: { "general.architecture": "qwen2", "qwen2.context_length": contextLength },
            capabilities,
          });
        },
      },
      "/api/chat": {
        POST: async (request) => {
          const seen = (await request.json()) as ChatRequestSeen;
          if (!knows(seen.model)) return missing(seen.model);
          if (refusesTools(seen)) return Response.json({ error: NO_TOOLS }, { status: 400 });
          chats.push(seen);
          const said = await reply(seen, chats.length - 1);
          return respond(seen, said, () => abandoned++);
        },
      },
      "/v1/models": Response.json({ data: models.map((id) => ({ id, object: "model" })) }),
      "/v1/chat/completions": {
        POST: async (request) => {
          const sent = (await request.json()) as ChatRequestSeen;
          if (!knows(sent.model)) {
            return openAiError(404, `model '${sent.model}' not found`);
          }
          if (refusesTools(sent)) return openAiError(400, NO_TOOLS);
          const format = sent.response_format?.json_schema?.schema;
          const seen = { ...sent, ...(format === undefined ? {} : { format }) };
          chats.push(seen);
          return completion(seen, await reply(seen, chats.length - 1));
        },
      },
    },
    fetch: () => new Response("404 page not found", { status: 404 }),
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    chats,
    abandoned: () => abandoned,
    [Symbol.asyncDispose]: async () => {
      await server.stop(true);
    },
  };
}

function respond(request: ChatRequestSeen, reply: Reply, onAbandon: () => void): Response {
  if ("status" in reply) return Response.json({ error: reply.error }, { status: reply.status });
  if (request.stream === false || request.stream === undefined) {
    const text = "say" in reply ? textOf(reply.say ?? "") : "";
    const doneReason = "doneReason" in reply ? (reply.doneReason ?? "stop") : "stop";
    return Response.json({
      ...part(request.model, text),
      ...ending(request, text, doneReason),
    });
  }
  const pieces = piecesOf(request, reply);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { value, done } = await pieces.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    cancel: onAbandon,
  });
  return new Response(body, { headers: { "content-type": "application/x-ndjson" } });
}

const openAiError = (status: number, message: string): Response =>
  Response.json({ error: { message, type: "invalid_request_error" } }, { status });

/** The reply in OpenAI's shape, where arguments are JSON text. */
function completion(request: ChatRequestSeen, reply: Reply): Response {
  if ("status" in reply) return openAiError(reply.status, reply.error);
  const said = "say" in reply ? textOf(reply.say ?? "") : "";
  const calls = "calls" in reply ? reply.calls : [];
  const message = {
    role: "assistant",
    content: said,
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map(({ name, arguments: args }, i) => ({
            id: `call-${request.messages.length}-${i}`,
            type: "function",
            function: { name, arguments: JSON.stringify(args) },
          })),
        }),
  };
  return Response.json({
    id: "chat",
    object: "chat.completion",
    model: request.model,
    choices: [{ index: 0, message, finish_reason: calls.length > 0 ? "tool_calls" : "stop" }],
    usage: { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 },
  });
}

async function* piecesOf(request: ChatRequestSeen, reply: Reply): AsyncGenerator<string> {
  const line = (content: string): string => `${JSON.stringify(part(request.model, content))}\n`;
  if ("garbage" in reply) yield `${reply.garbage}\n`;
  else if ("breakAfter" in reply) {
    yield line(reply.breakAfter);
  } else if ("errorAfter" in reply) {
    yield line(reply.errorAfter);
    yield `${JSON.stringify({ error: reply.error })}\n`;
  } else if ("stallAfter" in reply) {
    yield line(reply.stallAfter);
    await new Promise<never>(() => undefined);
  } else if ("repeat" in reply) {
    for (;;) yield line(reply.repeat);
  } else if ("calls" in reply) {
    const called = part(request.model, reply.say ?? "");
    const message = {
      ...called.message,
      tool_calls: reply.calls.map((one) => ({ function: one })),
    };
    yield `${JSON.stringify({ ...called, message })}\n`;
    yield `${JSON.stringify({ ...part(request.model, ""), ...ending(request, JSON.stringify(reply.calls), "stop") })}\n`;
  } else if ("say" in reply) {
    if (reply.thinking !== undefined) {
      const thought = part(request.model, "");
      const message = { ...thought.message, thinking: reply.thinking };
      yield `${JSON.stringify({ ...thought, message })}\n`;
    }
    const text = textOf(reply.say);
    for (let at = 0; at < text.length; at += 24) yield line(text.slice(at, at + 24));
    const end = ending(request, text, reply.doneReason ?? "stop");
    yield `${JSON.stringify({ ...part(request.model, ""), ...end })}\n`;
  }
}

const textOf = (said: string | object): string =>
  typeof said === "string" ? said : JSON.stringify(said);

function part(
  model: string,
  content: string,
): { model: string; created_at: string; message: object; done: boolean } {
  return { model, created_at: CREATED_AT, message: { role: "assistant", content }, done: false };
}

function ending(request: ChatRequestSeen, text: string, doneReason: string): object {
  const prompt = request.messages.reduce((sum, { content }) => sum + content.length, 0);
  return {
    done: true,
    done_reason: doneReason,
    total_duration: 2_000_000,
    load_duration: 1_000_000,
    prompt_eval_count: Math.ceil(prompt / 4),
    prompt_eval_duration: 500_000,
    eval_count: Math.max(1, Math.ceil(text.length / 4)),
    eval_duration: 500_000,
  };
}
