import { expect, test } from "bun:test";
import { checkModel } from "./check.ts";
import { startScriptedServer } from "./testing/scripted-server.ts";

const reply = () => ({ say: "" });

test("an endpoint is fit when it serves the model", async () => {
  await using server = startScriptedServer({ reply });
  const url = `${server.url}/v1`;
  expect(await checkModel(url, {}, "scripted:1b")).toEqual([
    { what: `the model's endpoint ${url}`, ok: true, detail: "serves scripted:1b" },
  ]);
  expect(await checkModel(url, {}, "other:1b")).toMatchObject([
    { ok: false, detail: "no other:1b; it serves scripted:1b" },
  ]);
  expect(await checkModel(server.url, {}, "scripted:1b")).toMatchObject([
    { ok: false, detail: "GET /models: HTTP 404" },
  ]);
});

test("a bad address and a closed port are findings", async () => {
  expect(await checkModel("box", {})).toMatchObject([
    { ok: false, detail: expect.stringContaining("must be an http(s) URL") },
  ]);
  expect(await checkModel("http://127.0.0.1:9/v1", {})).toMatchObject([{ ok: false }]);
});

test("without an endpoint Ollama is checked", async () => {
  await using server = startScriptedServer({ reply });
  const findings = await checkModel(undefined, { OLLAMA_HOST: server.url }, "scripted:1b");
  expect(findings.map(({ ok }) => ok)).toEqual([true, true]);
});
