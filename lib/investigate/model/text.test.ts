import { expect, test } from "bun:test";
import { estimateTokens, findJsonObject, isLooping, isSentence, withoutThoughts } from "./text.ts";

test("a loop is the same piece many times over, not a table of similar lines", () => {
  expect(isLooping("yes no ".repeat(60))).toBe(true);
  expect(isLooping(`{"a": 1}${" ".repeat(400)}`)).toBe(true);
  const table = Array.from({ length: 40 }, (_, n) => `F${n} radar-sensor up ${n} -> ${n * 2}`);
  expect(isLooping(table.join("\n"))).toBe(false);
  expect(isLooping("short short short")).toBe(false);
});

test("the first whole JSON object is found, strings with braces included", () => {
  expect(findJsonObject('x {"a": "}{\\"", "b": {"c": 1}} {"d": 2}')).toEqual({
    a: '}{"',
    b: { c: 1 },
  });
  expect(findJsonObject('{oops} {"a": 1}')).toEqual({ a: 1 });
  expect(findJsonObject('{"a": 1')).toBeUndefined();
  expect(findJsonObject("none")).toBeUndefined();
});

test.each(["It floods.", "radar-sensor publishes too much", "Отказ датчика"])(
  "%p can be a sentence",
  (text) => {
    expect(isSentence(text)).toBe(true);
  },
);

test.each(["", "1", ":{", ">=0.0352", "e86", "no_action", "[ { } ]"])(
  "%p is no sentence",
  (text) => {
    expect(isSentence(text)).toBe(false);
  },
);

test("thoughts are removed, also those that never end", () => {
  expect(withoutThoughts("<think>a</think> b <thinking>c</thinking>")).toBe("b");
  expect(withoutThoughts("b <think>c")).toBe("b");
});

test("token counts are estimated on the safe side", () => {
  expect(estimateTokens("")).toBe(0);
  expect(estimateTokens("a".repeat(260))).toBe(100);
});
