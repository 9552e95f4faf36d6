/**
 * A simulated model for OpenSRE. It serves the only call of OpenAI's wire format that OpenSRE makes
 * to Ollama (`POST /v1/chat/completions`), plans to read everything that Grafana offers, and always
 * writes the same report.
 */

/** The cause that the model names, in OpenSRE's format. */
const REPORT = [
  "ROOT_CAUSE:",
  "The radar-sensor process exited: signal_received and service_stopping stand in its logs.",
  "",
  "ROOT_CAUSE_CATEGORY:",
  "infrastructure",
  "",
  "VALIDATED_CLAIMS:",
  "- signal_received and service_stopping stand in the logs of radar-sensor",
  "",
  "NON_VALIDATED_CLAIMS:",
  "- recommended action: start the radar-sensor again",
].join("\n");

const ALERT = {
  is_noise: false,
  alert_name: "Sensor down",
  pipeline_name: "radar-sensor",
  severity: "critical",
  alert_source: "grafana",
};

interface Chat {
  readonly model: string;
  readonly messages: readonly { readonly content: string }[];
}

export interface OpenAiStandIn extends AsyncDisposable {
  readonly url: string;
  /** Every prompt so far. */
  readonly prompts: readonly string[];
}

/** Serves it on a free loopback port. */
export function serveScriptedModel(): OpenAiStandIn {
  const prompts: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    routes: {
      "/v1/chat/completions": {
        POST: async (request) => {
          const { model, messages } = (await request.json()) as Chat;
          const prompt = messages.map(({ content }) => content).join("\n");
          prompts.push(prompt);
          const message = { role: "assistant", content: answerTo(prompt) };
          return Response.json({
            id: `chat-${prompts.length}`,
            object: "chat.completion",
            created: 0,
            model,
            choices: [{ index: 0, message, finish_reason: "stop" }],
            usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
          });
        },
      },
    },
    fetch: () => Response.json({ error: "not found" }, { status: 404 }),
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    prompts,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** Answers its three questions: the content of the alert, the data to read, and the cause. */
function answerTo(prompt: string): string {
  if (prompt.includes("is_noise")) return JSON.stringify(ALERT);
  if (!prompt.includes("rationale")) return REPORT;
  const actions = [...prompt.matchAll(/^Action: (\w*grafana\w*)/gm)].map(([, name]) => name);
  return JSON.stringify({ actions, rationale: "read all there is" });
}
