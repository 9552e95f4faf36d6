/**
 * Every field of the five topics, and of a type with every kind of field, between this binding and
 * a peer in C.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createParticipant, type Participant, type Qos, toIdl, type Writer } from "./mod.ts";
import {
  type CompiledPeer,
  compilePeer,
  CPeer,
  descriptors,
  type PeerOptions,
} from "./testing/c-peer.ts";
import { parseIdl } from "./testing/parse-idl.ts";
import { keyTokensOf, tokensOf } from "./testing/tokens.ts";
import { EDGES, edgeValue } from "./testing/values.ts";
import { testDomain, until } from "./testing/domain.ts";
import type { StructDecl } from "./types.ts";

const idl = await Bun.file(`${import.meta.dir}/cms.idl`).text();
const structs = parseIdl(idl);
const TOPICS = [
  "SourceTrack",
  "TacticalTrack",
  "ThreatAssessment",
  "MissionOrder",
  "EngagementStatus",
];
const topics = Object.fromEntries(
  TOPICS.map((name) => [name, structs.get(`cms::${name}`) as StructDecl]),
);

const Point = {
  kind: "struct",
  name: "all::Point",
  key: ["y"],
  fields: { x: "i64", y: "u16" },
} as const;
const Bare = { kind: "struct", name: "all::Bare", fields: { a: "u8", b: "f64" } } as const;
const Colour = { kind: "enum", name: "all::Colour", values: ["RED", "GREEN", "BLUE"] } as const;
const Kinds = {
  kind: "struct",
  name: "all::Kinds",
  key: ["where", "pair", "hue", "u64"],
  fields: {
    flag: "bool",
    u8: "u8",
    i8: "i8",
    where: Point,
    u16: "u16",
    i16: "i16",
    u32: "u32",
    pair: Bare,
    i32: "i32",
    u64: "u64",
    i64: "i64",
    f32: "f32",
    f64: "f64",
    text: "string",
    short_text: { kind: "string", bound: 9 },
    hue: Colour,
    numbers: { kind: "sequence", of: "f64" },
    bytes: { kind: "sequence", of: "u8", bound: 100 },
    flags: { kind: "sequence", of: "bool" },
    texts: { kind: "sequence", of: "string" },
    short_texts: { kind: "sequence", of: { kind: "string", bound: 9 } },
    colours: { kind: "sequence", of: Colour },
    points: { kind: "sequence", of: Point },
    nested: { kind: "sequence", of: { kind: "sequence", of: "i16" } },
    three: { kind: "array", of: "i64", length: 3 },
    two_texts: { kind: "array", of: "string", length: 2 },
    two_points: { kind: "array", of: Point, length: 2 },
    two_colours: { kind: "array", of: Colour, length: 2 },
    last: "bool",
  },
} as const;

const reliable: Qos = { reliability: "RELIABLE", history: { kind: "KEEP_ALL" } };
const MissionOrder = topics["MissionOrder"] as StructDecl;
const names = [...TOPICS, "Kinds"];
const typeOf = (name: string): StructDecl => topics[name] ?? Kinds;

test("the parsed IDL is the IDL", () => {
  expect(idl).toEndWith(toIdl(Object.values(topics)));
});

describe("a peer in C", () => {
  let cms: CompiledPeer;
  let kinds: CompiledPeer;
  beforeAll(async () => {
    [cms, kinds] = await Promise.all([compilePeer(topics, idl), compilePeer({ Kinds })]);
  });
  afterAll(async () => {
    await cms[Symbol.asyncDispose]();
    await kinds[Symbol.asyncDispose]();
  });

  function meet(
    name: string,
    mode: PeerOptions["mode"] = "cdr1",
  ): { peer: CPeer; participant: Participant } {
    const domain = testDomain();
    const participant = createParticipant(domain);
    const compiled = name === "Kinds" ? kinds : cms;
    return { participant, peer: new CPeer(compiled, { ...domain, mode }) };
  }

  const matched = (writer: Writer): Promise<void> =>
    until("the C peer's reader", () => writer.matched.current === 1);

  test.each(names)("has the descriptor of %s that we have", async (name) => {
    const { theirs, ours } = await descriptors(name === "Kinds" ? kinds : cms, name);
    expect(ours).toBe(theirs);
  });

  test.each(names)("reads every field of %s that we write", async (name) => {
    const { participant: ours, peer } = meet(name);
    await using participant = ours;
    await using _ = peer;
    const type = typeOf(name);
    const writer = participant.writer(participant.topic(name, type), reliable);
    await matched(writer);
    for (let edge = 0; edge < EDGES; edge++) {
      const value = edgeValue(type, edge);
      writer.write(value as never);
      expect(await peer.nextLine()).toBe(`${name} ALIVE 1 ${tokensOf(type, value)}`);
    }
  });

  test.each(names.flatMap((name) => [[name, "cdr1"] as const, [name, "cdr2"] as const]))(
    "writes every field of %s, in %s, that we read",
    async (name, cdr) => {
      const { participant: ours, peer } = meet(name, cdr);
      await using participant = ours;
      await using _ = peer;
      const type = typeOf(name);
      const reader = participant.reader(participant.topic(name, type), reliable);
      const views: string[] = [];
      for (let edge = 0; edge < EDGES; edge++) {
        const value = edgeValue(type, edge);
        peer.write(name, value);
        await until("the sample", () => {
          reader.take((sample) => views.push(tokensOf(type, sample)));
          return views.length > edge;
        });
        expect(views[edge]).toBe(tokensOf(type, value));
      }
      expect(views).toHaveLength(EDGES);
    },
  );

  test.each(names)("and we agree on the instances of %s and their keys", async (name) => {
    const { participant: ours, peer } = meet(name);
    await using participant = ours;
    await using _ = peer;
    const type = typeOf(name);
    const topic = participant.topic(name, type);
    const writer = participant.writer(topic, reliable);
    await matched(writer);
    for (let edge = 0; edge < EDGES; edge++) {
      const value = edgeValue(type, edge);
      writer.write(value as never);
      await peer.nextLine();
      writer.dispose(value as never);
      const disposed = `${name} NOT_ALIVE_DISPOSED 0 ${keyTokensOf(type, value)}`;
      expect(await peer.nextLine()).toBe(disposed);
    }
    writer.close();
    const reader = participant.reader(topic, reliable);
    const value = edgeValue(type, 1);
    peer.write(name, value);
    peer.end("dispose", name, value);
    // A sample with data that is taken after the dispose has the new instance state; no sample
    // without data follows.
    const seen: string[] = [];
    await until("the end of the instance", () => {
      for (const { value: sample, info } of reader.takeObjects()) {
        const tokens = info.valid ? tokensOf(type, sample) : keyTokensOf(type, sample);
        seen.push(`${info.instanceState} ${tokens}`);
      }
      return seen.at(-1)?.startsWith("NOT_ALIVE_DISPOSED") === true;
    });
    const last = seen.length === 1 ? tokensOf(type, value) : keyTokensOf(type, value);
    expect(seen.at(-1)).toBe(`NOT_ALIVE_DISPOSED ${last}`);
  });

  test("that unregisters an instance, or hears that we do, agrees on what becomes of it", async () => {
    const { participant: ours, peer } = meet("MissionOrder");
    await using participant = ours;
    await using _ = peer;
    const topic = participant.topic("MissionOrder", MissionOrder);
    const writer = participant.writer(topic, { ...reliable, autodispose: false });
    await matched(writer);
    const order = edgeValue(MissionOrder, 1);
    writer.write(order as never);
    await peer.nextLine();
    writer.unregister(order as never);
    const key = keyTokensOf(MissionOrder, order);
    expect(await peer.nextLine()).toBe(`MissionOrder NOT_ALIVE_NO_WRITERS 0 ${key}`);
    writer.close();
    const reader = participant.reader(topic, reliable);
    peer.write("MissionOrder", order);
    peer.end("unregister", "MissionOrder", order);
    // By default, a writer disposes the instances that it unregisters.
    await until("the end of the instance", () =>
      reader.takeObjects().some(({ info }) => info.instanceState === "NOT_ALIVE_DISPOSED"),
    );
  });

  describe("and a late joiner", () => {
    const kept: Qos = { ...reliable, durability: "TRANSIENT_LOCAL" };
    const orders = Array.from({ length: 200 }, (_, i) => ({
      ...(edgeValue(MissionOrder, 0) as object),
      order_id: `order ${i % 7}`,
      issued_unix_ms: i,
    }));
    const lines = orders.map((order) => tokensOf(MissionOrder, order)).toSorted();

    test("in C get every order that was issued before", async () => {
      const domain = testDomain();
      await using participant = createParticipant(domain);
      const writer = participant.writer(participant.topic("MissionOrder", MissionOrder), kept);
      for (const order of orders) writer.write(order);
      await using peer = new CPeer(cms, { ...domain, mode: "kept" });
      const heard: string[] = [];
      while (heard.length < orders.length) heard.push(await peer.nextLine());
      expect(heard.toSorted()).toEqual(lines.map((line) => `MissionOrder ALIVE 1 ${line}`));
    });

    test("of ours get every order that C has issued before", async () => {
      const { participant: ours, peer } = meet("MissionOrder", "kept");
      await using participant = ours;
      await using _ = peer;
      const topic = participant.topic("MissionOrder", MissionOrder);
      const [first, heard] = [participant.reader(topic, kept), [] as string[]];
      for (const order of orders) peer.write("MissionOrder", order);
      let early = 0;
      await until("the orders", () => (early += first.take(() => {})) === orders.length);
      const late = participant.reader(topic, kept);
      await until("the orders once more", () => {
        late.take((order) => heard.push(tokensOf(MissionOrder, order)));
        return heard.length >= orders.length;
      });
      expect(heard.toSorted()).toEqual(lines);
    });
  });
});
