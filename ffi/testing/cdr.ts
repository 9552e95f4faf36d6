/** Serializes values with another library in both versions of CDR (DDS-XTypes 1.3, 7.4). */
import { CdrWriter, EncapsulationKind } from "@foxglove/cdr";
import { isPrimitive, type PrimitiveDecl, type TypeDecl } from "../types.ts";

/**
 * The bytes of `value` with their header; `version` 2 aligns to 4 at most and puts lengths before
 * collections.
 */
export function serialize(type: TypeDecl, value: unknown, version: 1 | 2): Uint8Array {
  const kind = version === 1 ? EncapsulationKind.CDR_LE : EncapsulationKind.RTPS_CDR2_LE;
  const writer = new CdrWriter({ kind });
  const lengths: { readonly at: number; readonly length: number }[] = [];
  put(writer, lengths, type, value);
  const bytes = Uint8Array.from(writer.data);
  const view = new DataView(bytes.buffer);
  for (const { at, length } of lengths) view.setUint32(at, length, true);
  return bytes;
}

type Lengths = { readonly at: number; readonly length: number }[];

function put(writer: CdrWriter, lengths: Lengths, type: TypeDecl, value: unknown): void {
  if (type === "string") putText(writer, value as string);
  else if (isPrimitive(type)) PUT[type](writer, value as never);
  else {
    switch (type.kind) {
      case "string":
        putText(writer, value as string);
        break;
      case "enum":
        writer.uint32(type.values.indexOf(value as string));
        break;
      case "struct":
        for (const [name, field] of Object.entries(type.fields)) {
          put(writer, lengths, field, (value as Record<string, unknown>)[name]);
        }
        break;
      case "sequence":
      case "array":
        putCollection(writer, lengths, type, value as readonly unknown[]);
    }
  }
}

/** The library's own string() counts characters where the standard counts bytes. */
function putText(writer: CdrWriter, text: string): void {
  writer.sequenceLength(Buffer.byteLength(text) + 1);
  for (const byte of Buffer.from(text)) writer.uint8(byte);
  writer.uint8(0);
}

function putCollection(
  writer: CdrWriter,
  lengths: Lengths,
  type: Extract<TypeDecl, { kind: "sequence" | "array" }>,
  elements: readonly unknown[],
): void {
  const isDelimited = writer.isCDR2 && !isPrimitive(type.of);
  // The length is known when the elements are written.
  if (isDelimited) writer.dHeader(0);
  const start = writer.size;
  if (type.kind === "sequence") writer.sequenceLength(elements.length);
  for (const element of elements) put(writer, lengths, type.of, element);
  if (isDelimited) lengths.push({ at: start - 4, length: writer.size - start });
}

const PUT: Readonly<Record<PrimitiveDecl, (writer: CdrWriter, value: never) => CdrWriter>> = {
  bool: (writer, value: boolean) => writer.uint8(value ? 1 : 0),
  u8: (writer, value: number) => writer.uint8(value),
  i8: (writer, value: number) => writer.int8(value),
  u16: (writer, value: number) => writer.uint16(value),
  i16: (writer, value: number) => writer.int16(value),
  u32: (writer, value: number) => writer.uint32(value),
  i32: (writer, value: number) => writer.int32(value),
  u64: (writer, value: bigint) => writer.uint64(value),
  i64: (writer, value: bigint) => writer.int64(value),
  f32: (writer, value: number) => writer.float32(value),
  f64: (writer, value: number) => writer.float64(value),
};
