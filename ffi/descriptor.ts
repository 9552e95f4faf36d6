/**
 * Derives a type's serializer instructions and key descriptors, the same as Cyclone's IDL compiler
 * generates. Source: dds/ddsc/dds_opcodes.h of Cyclone DDS 0.10.
 */
import { layoutOf, structLayout } from "./layout.ts";
import {
  type ArrayDecl,
  isPrimitive,
  PRIMITIVES,
  type PrimitiveDecl,
  type SequenceDecl,
  type StructDecl,
  type TypeDecl,
} from "./types.ts";

const OP_RTS = 0x00 << 24;
const OP_ADR = 0x01 << 24;
const OP_KOF = 0x07 << 24;

const FLAG_KEY = 1 << 0;
const FLAG_FP = 1 << 1;
const FLAG_SGN = 1 << 2;
const FLAG_MU = 1 << 3;
/** An enum is stored in 1 << 2 bytes. */
const FLAG_ENUM_SIZE = 2 << 6;

const VAL = {
  oneByte: 0x01,
  twoBytes: 0x02,
  fourBytes: 0x03,
  eightBytes: 0x04,
  string: 0x05,
  boundedString: 0x06,
  sequence: 0x07,
  array: 0x08,
  struct: 0x0a,
  boundedSequence: 0x0b,
  enum: 0x0c,
  external: 0x0d,
  bool: 0x0e,
} as const;

const TOPIC_FIXED_KEY = 1 << 1;
const TOPIC_FIXED_SIZE = 1 << 4;
const TOPIC_FIXED_KEY_XCDR2 = 1 << 5;
/** Maximum distance of a jump: a signed 16-bit number of words. */
const MAX_JUMP = 2 ** 15 - 1;
/** Maximum size of a key that a sample's key hash contains unchanged, bytes. */
const KEY_HASH_BYTES = 16;

/** A key field; `name` is its path from the topic's type. */
export interface KeyDescriptor {
  readonly name: string;
  /** Index of its KOF instruction. */
  readonly index: number;
  readonly order: number;
}

export interface Descriptor {
  readonly typeName: string;
  readonly size: number;
  readonly align: number;
  readonly flags: number;
  readonly ops: Uint32Array;
  /** Number of instructions (not words), without those of key offsets. */
  readonly instructionCount: number;
  readonly keys: readonly KeyDescriptor[];
}

/** One instruction; `jump` refers to a struct's instructions, which are placed later. */
interface Instruction {
  readonly words: number[];
  readonly jump?: {
    readonly word: number;
    readonly next: number;
    readonly to: StructDecl | Instruction[];
  };
}

/** Derives the descriptor of a topic's type. */
export function describe(struct: StructDecl): Descriptor {
  const program = new Program();
  program.place(struct);
  markImplicitKeys(struct, program);
  const { ops, positions, instructionCount } = program.link();
  const paths = keyPaths(struct, program, positions);
  const words = [...ops];
  const keys = paths.map(({ name, offsets }, order) => {
    const index = words.length;
    words.push(OP_KOF | offsets.length, ...offsets);
    return { name, index, order };
  });
  const layout = structLayout(struct);
  return {
    typeName: struct.name,
    size: layout.size,
    align: layout.align,
    flags: flagsOf(struct),
    ops: Uint32Array.from(words),
    instructionCount,
    keys,
  };
}

class Program {
  /** Structs in the order of their first use, each with its instructions. */
  readonly #structs = new Map<StructDecl, Instruction[]>();
  readonly #byName = new Map<string, StructDecl>();

  /**
   * Adds a struct's instructions unless they exist; returns the declaration that was added first
   * under its name.
   */
  place(struct: StructDecl): StructDecl {
    const same = this.#byName.get(struct.name);
    if (same !== undefined) {
      if (same !== struct && JSON.stringify(same) !== JSON.stringify(struct)) {
        throw new TypeError(
          `Cannot declare struct ${struct.name}: it is declared twice, and differs`,
        );
      }
      return same;
    }
    this.#byName.set(struct.name, struct);
    const instructions: Instruction[] = [];
    this.#structs.set(struct, instructions);
    for (const field of structLayout(struct).fields) {
      this.#addField(instructions, field.type, field.offset, field.isKey);
    }
    instructions.push({ words: [OP_RTS] });
    return struct;
  }

  instructionsOf(struct: StructDecl): readonly Instruction[] {
    return this.#structs.get(this.place(struct)) ?? [];
  }

  /** Adds the instruction of a field and, for inner collections, its subroutine. */
  #addField(into: Instruction[], type: TypeDecl, offset: number, isKey: boolean): void {
    const start = OP_ADR | (isKey ? FLAG_KEY | FLAG_MU : 0);
    if (!isCompound(type)) {
      const { code, flags, tail } = simpleType(type);
      into.push({ words: [start | (code << 16) | flags, offset, ...tail] });
      return;
    }
    switch (type.kind) {
      case "struct":
        into.push({
          words: [start | (VAL.external << 16), offset, 0],
          jump: { word: 2, next: 3, to: this.place(type) },
        });
        return;
      case "sequence": {
        const bound = type.bound === undefined ? [] : [type.bound];
        const op = start | (collectionCode(type) << 16);
        this.#addCollection(into, op, [offset, ...bound], type);
        return;
      }
      case "array":
        this.#addCollection(into, start | (VAL.array << 16), [offset, type.length], type);
    }
  }

  #addCollection(
    into: Instruction[],
    op: number,
    head: readonly number[],
    { kind, of: element }: SequenceDecl | ArrayDecl,
  ): void {
    const isArray = kind === "array";
    if (!isCompound(element)) {
      const { code, flags, tail } = simpleType(element);
      const filler = isArray && code === VAL.boundedString ? [0] : [];
      into.push({ words: [op | (code << 8) | flags, ...head, ...filler, ...tail] });
      return;
    }
    const { size } = layoutOf(element);
    const to = element.kind === "struct" ? this.place(element) : this.#subroutine(element);
    // The subroutine follows the instruction, so the next field comes after it.
    const inner = Array.isArray(to) ? to : [];
    const length = inner.reduce((sum, { words }) => sum + words.length, 0);
    // In arrays the last two words are in the opposite order.
    const tail = isArray ? [0, size] : [size, 0];
    const instruction: Instruction = {
      words: [op | (collectionCode(element) << 8), ...head, ...tail],
      jump: { word: head.length + (isArray ? 1 : 2), next: head.length + 3 + length, to },
    };
    into.push(instruction, ...inner);
  }

  #subroutine(element: TypeDecl): Instruction[] {
    const instructions: Instruction[] = [];
    this.#addField(instructions, element, 0, false);
    instructions.push({ words: [OP_RTS] });
    return instructions;
  }

  /** Computes the jumps, relative to the start of their instruction. */
  link(): { ops: number[]; positions: Map<Instruction, number>; instructionCount: number } {
    const positions = new Map<Instruction, number>();
    const starts = new Map<StructDecl, number>();
    let at = 0;
    let instructionCount = 0;
    for (const [struct, instructions] of this.#structs) {
      starts.set(struct, at);
      for (const instruction of instructions) {
        positions.set(instruction, at);
        at += instruction.words.length;
        instructionCount++;
      }
    }
    const ops: number[] = [];
    for (const instructions of this.#structs.values()) {
      for (const instruction of instructions) {
        const words = [...instruction.words];
        if (instruction.jump !== undefined) {
          const { word, next, to } = instruction.jump;
          const target = Array.isArray(to) ? positions.get(to[0] as Instruction) : starts.get(to);
          const here = positions.get(instruction) ?? 0;
          // A jump back is negative, in 16 bits.
          const distance = (target ?? 0) - here;
          if (Math.abs(distance) > MAX_JUMP || next > MAX_JUMP) {
            throw new TypeError("Cannot declare a type: it has too many fields for one jump");
          }
          words[word] = (next << 16) | (distance & 0xffff);
        }
        ops.push(...words);
      }
    }
    return { ops, positions, instructionCount };
  }
}

function primitiveCode(type: PrimitiveDecl): number {
  if (type === "bool") return VAL.bool;
  switch (PRIMITIVES[type].size) {
    case 1:
      return VAL.oneByte;
    case 2:
      return VAL.twoBytes;
    case 4:
      return VAL.fourBytes;
    case 8:
      return VAL.eightBytes;
  }
}

function primitiveFlags(type: PrimitiveDecl): number {
  if (type === "f32" || type === "f64") return FLAG_FP;
  return type.startsWith("i") ? FLAG_SGN : 0;
}

interface SimpleType {
  readonly code: number;
  readonly flags: number;
  /** Words behind the offset. */
  readonly tail: readonly number[];
}

type Compound = StructDecl | SequenceDecl | ArrayDecl;

/** Whether a type contains other types, which may need instructions of their own. */
const isCompound = (type: TypeDecl): type is Compound =>
  typeof type !== "string" && ["struct", "sequence", "array"].includes(type.kind);

function simpleType(type: Exclude<TypeDecl, Compound>): SimpleType {
  if (isPrimitive(type)) {
    return { code: primitiveCode(type), flags: primitiveFlags(type), tail: [] };
  }
  if (type === "string") return { code: VAL.string, flags: 0, tail: [] };
  if (type.kind === "string") return { code: VAL.boundedString, flags: 0, tail: [type.bound + 1] };
  return { code: VAL.enum, flags: FLAG_ENUM_SIZE, tail: [type.values.length - 1] };
}

function collectionCode(type: Compound): number {
  if (type.kind === "struct") return VAL.struct;
  if (type.kind === "array") return VAL.array;
  return type.bound === undefined ? VAL.sequence : VAL.boundedSequence;
}

/** Marks the fields of nested key structs that declare no key: all of them belong to the key. */
function markImplicitKeys(struct: StructDecl, program: Program): void {
  for (const name of struct.key ?? []) {
    const type = struct.fields[name];
    if (type !== undefined && typeof type !== "string" && type.kind === "struct") {
      if (type.key === undefined) markAll(type, program);
      else markImplicitKeys(type, program);
    }
  }
}

function markAll(struct: StructDecl, program: Program): void {
  for (const { words } of program.instructionsOf(struct)) {
    if (words[0] !== OP_RTS) words[0] = (words[0] as number) | FLAG_KEY;
  }
  for (const type of Object.values(struct.fields)) {
    if (typeof type === "string" || type.kind !== "struct") continue;
    if (type.key === undefined) markAll(type, program);
    else markImplicitKeys(type, program);
  }
}

interface KeyPath {
  readonly name: string;
  readonly offsets: readonly number[];
}

/**
 * The key fields, nested ones by path. If a nested struct declares no key, all its fields belong to
 * the key.
 */
function keyPaths(
  struct: StructDecl,
  program: Program,
  positions: ReadonlyMap<Instruction, number>,
): KeyPath[] {
  const paths: KeyPath[] = [];
  const visit = (at: StructDecl, name: string, offsets: readonly number[]): void => {
    const layout = structLayout(at);
    const instructions = program.instructionsOf(at);
    const first = positions.get(instructions[0] as Instruction) ?? 0;
    const keyed = layout.fields.filter(({ isKey }) => isKey);
    for (const field of offsets.length > 0 && keyed.length === 0 ? layout.fields : keyed) {
      const index = fieldInstruction(instructions, field.offset);
      const path = `${name}${field.name}`;
      const here = [...offsets, (positions.get(index) ?? 0) - first];
      if (typeof field.type !== "string" && field.type.kind === "struct") {
        visit(field.type, `${path}.`, here);
      } else paths.push({ name: path, offsets: here });
    }
  };
  visit(struct, "", []);
  return paths;
}

function fieldInstruction(instructions: readonly Instruction[], offset: number): Instruction {
  return instructions.find(({ words }) => words.length > 1 && words[1] === offset) as Instruction;
}

function flagsOf(struct: StructDecl): number {
  const isFixed = (type: TypeDecl): boolean => {
    if (typeof type === "string") return type !== "string";
    switch (type.kind) {
      case "string":
      case "sequence":
        return false;
      case "enum":
        return true;
      case "array":
        return isFixed(type.of);
      case "struct":
        return Object.values(type.fields).every(isFixed);
    }
  };
  let flags = isFixed(struct) ? TOPIC_FIXED_SIZE : 0;
  if ((struct.key?.length ?? 0) > 0) {
    if (keyBytes(struct, 8) <= KEY_HASH_BYTES) flags |= TOPIC_FIXED_KEY;
    if (keyBytes(struct, 4) <= KEY_HASH_BYTES) flags |= TOPIC_FIXED_KEY_XCDR2;
  }
  return flags;
}

/** Maximum size of the serialized key; `maxAlign` is 8 for XCDR1 and 4 for XCDR2. */
function keyBytes(struct: StructDecl, maxAlign: number): number {
  let at = 0;
  const add = (size: number, align: number): void => {
    at = Math.ceil(at / Math.min(align, maxAlign)) * Math.min(align, maxAlign) + size;
  };
  const visit = (type: TypeDecl): void => {
    if (type === "string") at = Number.POSITIVE_INFINITY;
    else if (isPrimitive(type)) add(PRIMITIVES[type].size, PRIMITIVES[type].size);
    else if (type.kind === "enum") add(4, 4);
    else if (type.kind === "string") {
      add(4, 4);
      add(type.bound + 1, 1);
    } else if (type.kind === "struct") {
      const keyed = type.key ?? Object.keys(type.fields);
      for (const [name, field] of Object.entries(type.fields)) {
        if (keyed.includes(name)) visit(field);
      }
    } else at = Number.POSITIVE_INFINITY;
  };
  visit(struct);
  return at;
}
