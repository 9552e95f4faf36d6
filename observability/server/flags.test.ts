import { describe, expect, test } from "bun:test";
import { parseFlags } from "./flags.ts";

describe("parseFlags()", () => {
  test("reads every flag and fills in defaults", () => {
    const flags = parseFlags([
      "--data-dir",
      "/d",
      "--host=10.200.0.1",
      "--prometheus-url=http://p:9090/",
    ]);
    expect(flags).toMatchObject({
      dataDir: "/d",
      host: "10.200.0.1",
      consolePort: 3000,
      prometheusUrl: "http://p:9090",
    });
  });

  test.each([
    [[], "Cannot start without --data-dir=DIR"],
    [["--data-dir=d", "--nope=1"], "Unknown option '--nope'; --help lists them"],
    [["--data-dir"], "Option '--data-dir <value>' argument missing"],
    [["--data-dir=d", "--host", "--loki-port=1"], "'--host' argument is ambiguous"],
    [["--data-dir=d", "more"], "Unexpected argument 'more'"],
    [["--data-dir=d", "--data-dir=e"], "--data-dir is given twice"],
    [["--data-dir=d", "--loki-port=70000"], 'whole number up to 65535, but is "70000"'],
    [["--data-dir=d", "--loki-port=x"], 'but is "x"'],
    [["--data-dir=d", "--frozen-at=now"], 'but is "now"'],
    [["--data-dir=d", "--prometheus-url=ftp://x"], 'must be an http URL, but is "ftp://x"'],
  ])("refuses %p", (argv, said) => {
    expect(() => parseFlags(argv)).toThrow(said);
  });
});
