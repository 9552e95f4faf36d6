/** Serializes values as DDS-XTypes 1.3, 7.4 says, in both versions of CDR; a second opinion on what decode.ts reads. */
import { isPrimitive, PRIMITIVE_SIZE, type PrimitiveDecl, type TypeDecl } from "../types.ts";

/** The bytes of `value` with their header; `version` 2 aligns to 4 at most and puts lengths before collections. */
export function serialize(type: TypeDecl, value: unknown, version: 1 | 2): Uint8Array {
  const output = new Output(version);
  output.put(type, value);
  return output.bytes();
}

class Output {
  readonly #version: 1 | 2;
  readonly #bytes: number[] = [];

  constructor(version: 1 | 2) {
    this.#version = version;
  }

  bytes(): Uint8Array {
    return Uint8Array.from([0, this.#version === 1 ? 1 : 7, 0, 0, ...this.#bytes]);
  }

  put(type: TypeDecl, value: unknown): void {
    if (type === "string") this.#text(value as string);
    else if (isPrimitive(type)) this.#number(type, value);
    else {
      switch (type.kind) {
        case "string":
          this.#text(value as string);
          break;
        case "enum":
          this.#number("u32", type.values.indexOf(value as string));
          break;
        case "struct":
          for (const [name, field] of Object.entries(type.fields)) {
            this.put(field, (value as Record<string, unknown>)[name]);
          }
          break;
        case "sequence":
        case "array":
          this.#collection(type.of, value as readonly unknown[], type.kind === "sequence");
      }
    }
  }

  #collection(of: TypeDecl, elements: readonly unknown[], isCounted: boolean): void {
    const isDelimited = this.#version === 2 && !isPrimitive(of);
    if (isDelimited) this.#number("u32", 0);
    const start = this.#bytes.length;
    if (isCounted) this.#number("u32", elements.length);
    for (const element of elements) this.put(of, element);
    if (!isDelimited) return;
    const length = new Uint8Array(Uint32Array.of(this.#bytes.length - start).buffer);
    length.forEach((byte, i) => (this.#bytes[start - 4 + i] = byte));
  }

  #text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#number("u32", bytes.length + 1);
    this.#bytes.push(...bytes, 0);
  }

  #number(type: PrimitiveDecl, value: unknown): void {
    const size = PRIMITIVE_SIZE[type];
    const align = Math.min(size, this.#version === 2 ? 4 : 8);
    while (this.#bytes.length % align !== 0) this.#bytes.push(0);
    const view = new DataView(new ArrayBuffer(8));
    if (type === "f32") view.setFloat32(0, value as number, true);
    else if (type === "f64") view.setFloat64(0, value as number, true);
    else view.setBigInt64(0, BigInt.asIntN(64, BigInt(value as number | bigint | boolean)), true);
    for (let i = 0; i < size; i++) this.#bytes.push(view.getUint8(i));
  }
}
