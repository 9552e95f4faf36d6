/**
 * Random types and random values of them: between this binding and a C peer that is compiled from
 * their IDL, and within this process. Environment: FFI_SEED (whole number) and FFI_TYPES (how many
 * types) repeat or extend a run.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createParticipant, type Qos, toIdl } from "./mod.ts";
import { arbitraryStruct, arbitraryValue } from "./testing/arbitrary.ts";
import { type CompiledPeer, compilePeer, CPeer, descriptors } from "./testing/c-peer.ts";
import { keyTokensOf, tokensOf } from "./testing/tokens.ts";
import { testDomain, testParticipant, until } from "./testing/domain.ts";
import type { StructDecl } from "./types.ts";

const seed = Number(process.env["FFI_SEED"] ?? 1);
const count = Number(process.env["FFI_TYPES"] ?? 12);
const VALUES_PER_TYPE = 4;
const reliable: Qos = {
  reliability: "RELIABLE",
  history: { kind: "KEEP_ALL" },
  maxBlockingMs: 5000,
};

/** Runs `check`; if it fails, writes the input to a file and adds the file's path to the error. */
async function orReproducer(what: object, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    const file = join(tmpdir(), `random-types-${seed}-${process.pid}.json`);
    const asText = (_: string, value: unknown): unknown =>
      typeof value === "bigint" || Object.is(value, -0) || Number.isNaN(value)
        ? `${value as bigint}`
        : value;
    await Bun.write(file, JSON.stringify({ seed, count, ...what }, asText, 2));
    throw new Error(`${(error as Error).message}\nTo repeat it: FFI_SEED=${seed}, ${file}`, {
      cause: error,
    });
  }
}

/** Calls `check` with `VALUES_PER_TYPE` random values of `struct`. */
function forValues(
  struct: StructDecl,
  check: (value: unknown, number: number) => Promise<void>,
): Promise<void> {
  let number = 0;
  const property = fc.asyncProperty(arbitraryValue(struct), async (value) => {
    const what = { type: struct, idl: idlOf(struct), value };
    await orReproducer(what, () => check(value, number++));
  });
  return fc.assert(property, { seed, numRuns: VALUES_PER_TYPE, endOnFailure: true });
}

const idlOf = (struct: StructDecl): string => {
  try {
    return toIdl([struct]);
  } catch (error) {
    return (error as Error).message;
  }
};

test("what fails leaves a reproducer", async () => {
  const failing = orReproducer({ value: 2n }, () => Promise.reject(new Error("wrong")));
  const message = await failing.catch((error: Error) => error.message);
  expect(message).toStartWith(`wrong\nTo repeat it: FFI_SEED=${seed}, /`);
  const file = Bun.file((message as string).split(", ").at(-1) as string);
  expect(await file.json()).toEqual({ seed, count, value: "2" });
  await file.delete();
});

describe(`random types and a peer in C, seed ${seed}`, () => {
  const topics = Object.fromEntries(
    Array.from({ length: count }, (_, i) => {
      // All types are in one IDL module, where names must differ.
      const [struct] = fc.sample(arbitraryStruct("m"), { seed: seed * 1000 + i, numRuns: 1 });
      return [`Topic${i}`, renamed(struct as StructDecl, `T${i}`)];
    }),
  );
  const names = Object.keys(topics);
  let compiled: CompiledPeer;
  beforeAll(async () => {
    await orReproducer({ idl: toIdl(Object.values(topics)) }, async () => {
      compiled = await compilePeer(topics);
    });
  });
  afterAll(() => compiled[Symbol.asyncDispose]());

  test.each(names)("the descriptor of %s is the IDL compiler's", async (name) => {
    const struct = topics[name] as StructDecl;
    await orReproducer({ type: struct, idl: idlOf(struct) }, async () => {
      const { theirs, ours } = await descriptors(compiled, name);
      expect(ours).toBe(theirs);
    });
  });

  test("values come through C and back unchanged", async () => {
    const domain = testDomain();
    await using participant = createParticipant(domain);
    await using peer = new CPeer(compiled, domain);
    for (const name of names) {
      const struct = topics[name] as StructDecl;
      const topic = participant.topic(name, struct, reliable);
      const writer = participant.writer(topic);
      await until("the C peer's reader", () => writer.matched.current === 1);
      await forValues(struct, async (value) => {
        writer.write(value as never);
        expect(await peer.nextLine()).toBe(`${name} ALIVE 1 ${tokensOf(struct, value)}`);
      });
      const reader = participant.reader(topic);
      await forValues(struct, async (value) => {
        peer.write(name, value);
        const [taken] = await take(reader);
        expect(tokensOf(struct, taken?.value)).toBe(tokensOf(struct, value));
      });
    }
  });
});

test(`values of random types come through this process unchanged, seed ${seed}`, async () => {
  await using participant = testParticipant();
  const structs = fc.sample(arbitraryStruct("m", { arraysInside: true }), {
    seed,
    numRuns: count * 5,
  });
  for (const [i, struct] of structs.entries()) {
    const topic = participant.topic(`Topic${i}`, struct, reliable);
    const writer = participant.writer(topic);
    const reader = participant.reader(topic);
    await until("a match", () => writer.matched.current === 1);
    await forValues(struct, async (value) => {
      writer.write(value as never);
      const [object] = await take(reader);
      expect(tokensOf(struct, object?.value)).toBe(tokensOf(struct, value));
      writer.write(value as never);
      const views: string[] = [];
      await until("the view", () => reader.take((view) => views.push(tokensOf(struct, view))) > 0);
      expect(views).toEqual([tokensOf(struct, value)]);
      writer.dispose(value as never);
      const [end] = await take(reader);
      expect(end?.info).toMatchObject({ valid: false, instanceState: "NOT_ALIVE_DISPOSED" });
      if (struct.key !== undefined) {
        expect(keyTokensOf(struct, end?.value)).toBe(keyTokensOf(struct, value));
      }
    });
    topic.close();
  }
});

async function take(
  reader: ReturnType<ReturnType<typeof testParticipant>["reader"]>,
): Promise<ReturnType<typeof reader.takeObjects>> {
  let taken: ReturnType<typeof reader.takeObjects> = [];
  await until("a sample", () => {
    taken = reader.takeObjects();
    return taken.length > 0;
  });
  return taken;
}

/** The same type with names of structs, enums and enum values that start with `prefix`. */
function renamed(struct: StructDecl, prefix: string): StructDecl {
  const text = JSON.stringify(struct).replaceAll(/"(m::)?([SE]\d+(_\d+)?)"/g, `"$1${prefix}$2"`);
  return JSON.parse(text) as StructDecl;
}
