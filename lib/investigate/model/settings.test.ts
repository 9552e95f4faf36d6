import { expect, test } from "bun:test";
import { UsageError } from "../../base/errors.ts";
import { DEFAULT_HOST, DEFAULT_MODEL, ollamaSettings } from "./settings.ts";

test("without anything said the defaults hold", () => {
  expect(ollamaSettings({})).toEqual({
    host: DEFAULT_HOST,
    model: DEFAULT_MODEL,
    contextTokens: 8192,
  });
});

test("the command line counts before OLLAMA_MODEL", () => {
  expect(ollamaSettings({ OLLAMA_MODEL: "gemma3:270m" }).model).toBe("gemma3:270m");
  expect(ollamaSettings({ OLLAMA_MODEL: "gemma3:270m" }, "user/x:1").model).toBe("user/x:1");
});

test.each([
  ["127.0.0.1:9", "http://127.0.0.1:9"],
  ["http://box:9/sub/", "http://box:9/sub"],
  ["https://box", "https://box"],
  ["box", "http://box:11434"],
  [":9", "http://127.0.0.1:9"],
  ["0.0.0.0", "http://127.0.0.1:11434"],
  ["http://0.0.0.0:9", "http://127.0.0.1:9"],
  ["[::]:9", "http://[::1]:9"],
])("OLLAMA_HOST=%s is %s", (text, host) => {
  expect(ollamaSettings({ OLLAMA_HOST: text }).host).toBe(host);
});

test.each([
  { OLLAMA_HOST: "ftp://box" },
  { OLLAMA_HOST: "box:99999" },
  { OLLAMA_HOST: "box:0" },
  { OLLAMA_HOST: "a b" },
  { OLLAMA_MODEL: "two words" },
  { OLLAMA_MODEL: ":tag" },
  { OLLAMA_CONTEXT_LENGTH: "many" },
  { OLLAMA_CONTEXT_LENGTH: "100" },
])("%p is refused with name, rule and value", (env) => {
  const [[name, value]] = Object.entries(env) as [[string, string]];
  expect(() => ollamaSettings(env)).toThrow(UsageError);
  expect(() => ollamaSettings(env)).toThrow(new RegExp(`Cannot use ${name}: it must be .* but is`));
  expect(() => ollamaSettings(env)).toThrow(JSON.stringify(value));
});

test("a bad model on the command line is refused", () => {
  expect(() => ollamaSettings({}, "a b")).toThrow(/Cannot use the investigator ollama:a b/);
});
