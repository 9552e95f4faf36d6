/** Tests the parts of the native engine that need neither root nor namespaces. */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { EnvironmentError } from "../../base/errors.ts";
import { run } from "../../base/shell.ts";
import { ALERT_RULES_FILE, parseAlertRules } from "../../contract/alert-rules.ts";
import { SERVICES } from "../../contract/topology.ts";
import { createLab } from "../create-lab.ts";
import { addressOf, filesOf, forwards, GATEWAY } from "./layout.ts";
import { LogFile, rotatedPath } from "./log-file.ts";
import { portHolder } from "./port-holder.ts";
import { maxTelemetryMib, prometheusArgv } from "./programs.ts";
import { weightOf } from "./cgroup.ts";
import { prometheusConfig, prometheusRules } from "./prometheus-config.ts";
import { ask, LabGoneError, type Operations, serve } from "./protocol.ts";

const folder = mkdtempSync(`${tmpdir()}/lab-parts-`);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("layout", () => {
  test("gives every service its own address, none of them the gateway's", () => {
    const addresses = SERVICES.map(addressOf);
    expect(new Set([...addresses, GATEWAY]).size).toBe(SERVICES.length + 1);
    expect(addresses[0]).toBe("10.200.0.11");
  });

  test("never gives two labs the same host port, folder or socket", () => {
    const all = Array.from({ length: 10 }, (_, index) => forwards(index)).flat();
    expect(new Set(all.map(({ hostPort }) => hostPort)).size).toBe(10 * (SERVICES.length + 7));
    expect(all.every(({ port }) => port > 0)).toBe(true);
    expect(filesOf("/p", 1).state).not.toBe(filesOf("/p", 2).state);
    expect(filesOf("/p", 1).control).not.toBe(filesOf("/p", 2).control);
  });

  test("keeps the paths of sockets within what the kernel takes, however deep the project", () => {
    const files = filesOf(`/${"deep/".repeat(60)}`, 9);
    expect(Math.max(files.control.length, files.forward(65535).length)).toBeLessThan(108);
  });
});

describe("choice of an engine", () => {
  test("names the engines there are", () => {
    const choose = () => createLab({ engine: "vmware", index: 0, lifetime: "until-down" });
    expect(choose).toThrow('Cannot choose engine "vmware": it must be one of native');
  });

  test("refuses an index that has no ports", () => {
    for (const index of [-1, 10, 0.5, Number.NaN]) {
      expect(() => createLab({ engine: "native", index, lifetime: "until-down" })).toThrow(
        `whole number from 0 to 9, but is ${index}`,
      );
    }
  });
});

describe("log file", () => {
  const text = (bytes: number): Uint8Array => new TextEncoder().encode("x".repeat(bytes));

  test("keeps no more than two files of the limit", () => {
    const path = `${folder}/bounded.log`;
    const log = new LogFile(path, 100);
    for (let count = 0; count < 50; count += 1) log.write(text(30));
    log.close();
    expect(readFileSync(path).length).toBeLessThanOrEqual(100);
    expect(readFileSync(rotatedPath(path)).length).toBe(90);
    expect(log.lostBytes).toBe(0);
  });

  test("goes on where the last process stopped", () => {
    const path = `${folder}/again.log`;
    for (const word of ["first\n", "second\n"]) {
      const log = new LogFile(path);
      log.write(new TextEncoder().encode(word));
      log.close();
    }
    expect(readFileSync(path, "utf8")).toBe("first\nsecond\n");
  });

  test("loses what a full disk does not take, and does not throw", () => {
    const log = new LogFile("/dev/full", 100);
    log.write(text(10));
    expect(log.lostBytes).toBe(10);
    log.close();
  });
});

test("the program that holds a port can be named", async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
  const { port } = holder.address() as { port: number };
  expect(await portHolder(port)).toContain(`(process ${process.pid})`);
  holder.close();
  await once(holder, "close");
  expect(await portHolder(port)).toBeUndefined();
});

describe("protocol", () => {
  const operations = {
    status: () => ({ engine: "native", index: 4, services: [], parts: [] }),
    stop: (name: string) => Promise.reject(new Error(`there is no service ${name}`)),
    secret: () => "never",
  } as unknown as Operations;

  test("answers each request, and passes errors on in words", async () => {
    const path = `${folder}/control.sock`;
    const server = serve(path, operations);
    expect(await ask(path, "status", [])).toMatchObject({ engine: "native", index: 4 });
    const failed = ask(path, "stop", ["no-such" as never]);
    await expect(failed).rejects.toThrow("The lab cannot stop: there is no service no-such");
    await expect(failed).rejects.toBeInstanceOf(EnvironmentError);
    server.close();
  });

  test("offers nothing but its operations", async () => {
    const path = `${folder}/closed.sock`;
    const server = serve(path, operations);
    for (const name of ["secret", "constructor", "__proto__", "toString"]) {
      const failed = ask(path, name as "status", []);
      await expect(failed).rejects.toThrow(`there is no operation ${name}`);
    }
    server.close();
  });

  test("survives a line that is no request", async () => {
    const path = `${folder}/garbage.sock`;
    const server = serve(path, operations);
    const socket = await Bun.connect({ unix: path, socket: { data: () => {} } });
    socket.write("nonsense\n");
    socket.end();
    expect(await ask(path, "status", [])).toMatchObject({ index: 4 });
    server.close();
  });

  test("tells a lab that is gone from one that fails", async () => {
    await expect(ask(`${folder}/none.sock`, "status", [])).rejects.toBeInstanceOf(LabGoneError);
    const path = `${folder}/dying.sock`;
    const dying = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => dying.listen(path, resolve));
    await expect(ask(path, "status", [])).rejects.toBeInstanceOf(LabGoneError);
    dying.close();
  });

  test("does not wait for ever", async () => {
    const path = `${folder}/silent.sock`;
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(path, resolve));
    await expect(ask(path, "status", [], 50)).rejects.toThrow("no answer in time");
    silent.close();
  });
});

test.each([
  [1024, 100],
  [512, 50],
  [2, 1],
  [262_144, 10_000],
])("a share of %i is a weight of %i in control groups v2", (shares, weight) => {
  expect(weightOf(shares)).toBe(weight);
});

test("LAB_TELEMETRY_MAX_MIB is what the telemetry server stores, or an error", () => {
  expect(maxTelemetryMib({})).toBeUndefined();
  expect(maxTelemetryMib({ LAB_TELEMETRY_MAX_MIB: "512" })).toBe(512);
  expect(() => maxTelemetryMib({ LAB_TELEMETRY_MAX_MIB: "1" })).toThrow("from 64 to 1048576");
});

test("Prometheus stores at most 2 GiB, and at most a quarter of what is free", () => {
  const sizeFor = (freeBytes: number): string | undefined =>
    prometheusArgv({ data: (part) => `/data/${part}` }, freeBytes)
      .find((argument) => argument.startsWith("--storage.tsdb.retention.size="))
      ?.split("=")[1];
  expect([sizeFor(2 ** 50), sizeFor(2 ** 30), sizeFor(0)]).toEqual([
    `${2 ** 31}B`,
    `${2 ** 28}B`,
    `${2 ** 26}B`,
  ]);
});

describe("Prometheus' files", () => {
  const rules = parseAlertRules(
    readFileSync(new URL(`../../../${ALERT_RULES_FILE}`, import.meta.url), "utf8"),
  );

  test("scrape every service under the name that users know", () => {
    const config = JSON.parse(prometheusConfig("rules.yml")) as {
      scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
    };
    const services = config.scrape_configs.find(({ job_name }) => job_name === "cms-services");
    expect(services?.static_configs[0]?.targets).toContain("radar-sensor:9101");
    expect(services?.static_configs[0]?.targets).toHaveLength(SERVICES.length);
  });

  test("are what Prometheus itself accepts", async () => {
    const promtool = Bun.which("promtool");
    expect(promtool).not.toBeNull();
    await Bun.write(`${folder}/prometheus.yml`, prometheusConfig("rules.yml"));
    await Bun.write(`${folder}/rules.yml`, prometheusRules(rules));
    const { code, stdout, stderr } = await run([
      promtool ?? "",
      "check",
      "config",
      `${folder}/prometheus.yml`,
    ]);
    expect(`${stdout}${stderr}`).toContain(`SUCCESS: ${rules.length} rules found`);
    expect(code).toBe(0);
    expect(existsSync(`${folder}/rules.yml`)).toBe(true);
  });
});
