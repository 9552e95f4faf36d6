import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { compileRegex, RegexError } from "./regex.ts";

/** Patterns with the same meaning in RE2 and JavaScript, so that JavaScript is the reference. */
const PATTERNS = [
  "a|bc|d*e",
  "^abc$",
  "a.c",
  "[a-c]+x?",
  "[^a-c]{2,4}",
  "(ab|c){2}",
  "\\bfoo\\b",
  "\\Bfoo",
  "x*",
  "a{0,2}b",
  "\\d+\\.\\d+",
  "(?:a|b)*c$",
  "\\w+@\\w+",
  "[\\d-]+z",
  "a$|^b",
  "[]a]".replace("]a", "\\]a"),
  "",
  "é+",
  "[a\\-z]",
  "😀.",
];

describe("compileRegex()", () => {
  test.each(PATTERNS)("agrees with JavaScript on any text: %p", (pattern) => {
    const reference = new RegExp(pattern, "u");
    const whole = new RegExp(`^(?:${pattern})$`, "u");
    const ours = compileRegex(pattern, false);
    const oursWhole = compileRegex(pattern, true);
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom(...Array.from("abcdefox019.-@z] ]\né😀")) }),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(text, (sample) => {
        expect(ours(sample)).toBe(reference.test(sample));
        expect(oursWhole(sample)).toBe(whole.test(sample));
      }),
      { numRuns: 300 },
    );
  });

  test("knows RE2's flags, classes and quoting", () => {
    expect(compileRegex("(?i)error", false)("An ERROR")).toBe(true);
    expect(compileRegex("a(?i)b", false)("Ab")).toBe(false);
    expect(compileRegex("(?i:a)b", false)("AB")).toBe(false);
    expect(compileRegex("(?s)a.b", false)("a\nb")).toBe(true);
    expect(compileRegex("a.b", false)("a\nb")).toBe(false);
    expect(compileRegex("(?m)^b$", false)("a\nb\nc")).toBe(true);
    expect(compileRegex("[[:alpha:]]{3}", true)("abc")).toBe(true);
    expect(compileRegex("\\Q.*\\E", true)(".*")).toBe(true);
    expect(compileRegex("(?P<name>a+)", true)("aaa")).toBe(true);
    expect(compileRegex("\\x41\\x{1F600}", true)("A😀")).toBe(true);
  });

  test.each([
    "(",
    "a)",
    "[a",
    "*a",
    "a**",
    "(?=a)",
    "\\1",
    "(?<!a)b",
    "a{2,1}",
    "a{1001}",
    "\\",
    "[b-a]",
    "\\p",
  ])("refuses %p with a reason", (pattern) => {
    expect(() => compileRegex(pattern, false)).toThrow(RegexError);
  });

  test("runs in time linear in the text where backtracking is exponential", () => {
    const text = `${"a".repeat(50_000)}b`;
    for (const pattern of [
      "(a+)+$",
      "^(a|a)*$",
      "(.*)(.*)(.*)(.*)x",
      "(a|aa)+c",
      "^(([a-z])+.)+[A-Z]([a-z])+$",
    ]) {
      expect(compileRegex(pattern, false)(text)).toBe(false);
    }
  });

  test.each([
    "((((){1000}){1000}){1000}){1000}",
    "((a{100}){100}){100}",
    "([a-z]{1000}){6}",
    "x{1000}".repeat(6),
    // Characters that are not groups: in a quotation, in a class, after a backslash.
    `(\\Q)\\E${"a".repeat(100)}){100}`,
    `([)]${"a".repeat(100)}){100}`,
    `(\\)${"a".repeat(100)}){100}`,
  ])("refuses %p at once, and names the limit", (pattern) => {
    const beganMs = performance.now();
    expect(() => compileRegex(pattern, false)).toThrow("at most 5000 steps");
    expect(performance.now() - beganMs).toBeLessThan(10_000);
  });

  test("refuses what is too long or nests too deeply", () => {
    expect(() => compileRegex(`(${"a|".repeat(5000)}b)`, false)).toThrow("at most 8192 characters");
    expect(() => compileRegex(`${"(".repeat(2000)}${")".repeat(2000)}`, false)).toThrow(
      "expression nests too deeply",
    );
  });

  test("an expression of many steps refuses a text that would take it long", () => {
    const large = compileRegex(`${"[a-z]{0,1000}".repeat(4)}[0-9]`, false);
    expect(large("abc1")).toBe(true);
    expect(() => large("a".repeat(100_000))).toThrow("characters, but a text has 100000");
    expect(compileRegex("a+b", false)(`${"a".repeat(1_000_000)}b`)).toBe(true);
  });

  test("a pattern with 2^20 states stays small", () => {
    const ours = compileRegex("a.{20}b$", false);
    const text = "ab".repeat(20_000);
    expect(ours(text)).toBe(/a.{20}b$/.test(text));
  });
});
