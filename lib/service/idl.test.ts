import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe as describeType } from "../../ffi/descriptor.ts";
import { type StructDecl, toIdl } from "../../ffi/mod.ts";
import { parseIdl } from "../../ffi/testing/parse-idl.ts";
import { structLayout } from "../../ffi/layout.ts";
import { mustRun } from "../base/shell.ts";
import { TOPIC_TYPES } from "../contract/types.ts";

const IDL = new URL("../../ffi/cms.idl", import.meta.url).pathname;
const types: readonly StructDecl[] = Object.values(TOPIC_TYPES);
const cName = ({ name }: StructDecl): string => name.replace("::", "_");

/** Prints the descriptor of each topic type that Cyclone's IDL compiler generated. */
const probe = `
#include <stdio.h>
#include <stddef.h>
#include "cms.h"
static void show(const dds_topic_descriptor_t *d, unsigned words) {
  printf("%s %u %u %u %u", d->m_typename, d->m_size, d->m_align, d->m_flagset, d->m_nops);
  for (unsigned i = 0; i < words; i++) printf(" %u", d->m_ops[i]);
  for (unsigned i = 0; i < d->m_nkeys; i++)
    printf(" %s %u %u", d->m_keys[i].m_name, d->m_keys[i].m_offset, d->m_keys[i].m_idx);
  printf("\\n");
}
int main(void) {
${types.map((type) => `  show(&${cName(type)}_desc, ${describeType(type).ops.length});`).join("\n")}
${types
  .flatMap((type) =>
    structLayout(type).fields.map(
      ({ name }) => `  printf("${cName(type)}.${name} %zu\\n", offsetof(${cName(type)}, ${name}));`,
    ),
  )
  .join("\n")}
  return 0;
}
`;

describe("ffi/cms.idl", () => {
  let folder = "";
  let compiled: string[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "idl-"));
    // Without type information, which the binding's descriptors do not have either.
    await mustRun(["idlc", "-t", IDL], { cwd: folder });
    await Bun.write(join(folder, "probe.c"), probe);
    await mustRun(["gcc", "-o", "probe", "probe.c", "cms.c", "-lddsc"], { cwd: folder });
    compiled = (await mustRun([join(folder, "probe")])).split("\n");
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("says what lib/contract declares", async () => {
    const text = await Bun.file(IDL).text();
    expect(text).toEndWith(toIdl(types));
  });

  test("means what lib/contract declares, as another parser understands it", async () => {
    const structs = parseIdl(await Bun.file(IDL).text());
    for (const type of types) expect(structs.get(type.name)).toEqual(type);
  });

  test.each(types.map((type) => [type.name, type] as const))(
    "%s has the size, flags, op codes and keys that the IDL compiler gives it",
    (name, type) => {
      const { size, align, flags, instructionCount, ops, keys } = describeType(type);
      const ours = [
        name,
        size,
        align,
        flags,
        instructionCount,
        ...ops,
        ...keys.flatMap((key) => [key.name, key.index, key.order]),
      ].join(" ");
      expect(compiled).toContain(ours);
    },
  );

  test("every field lies where the C compiler puts it", () => {
    for (const type of types) {
      for (const { name, offset } of structLayout(type).fields) {
        expect(compiled).toContain(`${cName(type)}.${name} ${offset}`);
      }
    }
  });
});
