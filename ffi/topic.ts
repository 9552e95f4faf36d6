/** A topic: a name and a type. */
import { frozenCopy } from "./declaration.ts";
import { type Descriptor, describe } from "./descriptor.ts";
import { Entity } from "./entity.ts";
import { check } from "./error.ts";
import { loadLibrary } from "./library.ts";
import { Block, cString, withCString } from "./memory.ts";
import { effectiveQos, type Qos, withQos } from "./qos.ts";
import type { StructDecl } from "./types.ts";

/** Offsets in dds_topic_descriptor_t. */
const DESCRIPTOR = {
  size: 0,
  align: 4,
  flagset: 8,
  nkeys: 12,
  typename: 16,
  keys: 24,
  nops: 32,
  ops: 40,
  meta: 48,
  bytes: 96,
} as const;
/** Characters that every version of the library accepts. */
const NAME = /^[A-Za-z_/][A-Za-z0-9_/]*$/;
/** dds_key_descriptor_t: const char *m_name; uint32_t m_offset, m_idx. */
const KEY_BYTES = 16;

/** A name and a type, for the writers and readers of the participant that created it. */
export class Topic<D extends StructDecl = StructDecl> extends Entity {
  readonly name: string;
  /** A frozen copy of its declaration. */
  readonly type: D;
  /** A copy of its QoS. */
  readonly qos: Qos;
  /** The participant that created it. */
  readonly participant: Entity;

  /** @internal Use Participant.topic(). */
  constructor(participant: Entity, participantHandle: number, name: string, type: D, qos: Qos) {
    if (!NAME.test(name) || name.startsWith("DCPS")) {
      throw new TypeError(
        `Cannot create a topic: its name must be of letters, digits, _ and /, and start with none of 0-9 and DCPS, but is ${JSON.stringify(name)}`,
      );
    }
    const own = frozenCopy(type);
    const ownQos = structuredClone(effectiveQos("topic", qos));
    const image = new DescriptorImage(describe(own));
    const handle = withQos("topic", ownQos, (pointer) =>
      withCString(name, (text) =>
        loadLibrary().dds.dds_create_topic(participantHandle, image.pointer, text, pointer, null),
      ),
    );
    // C reads the image until here, so it must not be collected before.
    image.release();
    check(handle, "dds_create_topic", `create topic ${name} of type ${own.name}`);
    super(handle, `topic ${name}`, participant);
    this.name = name;
    this.type = own;
    this.qos = ownQos;
    this.participant = participant;
    Object.freeze(this);
  }
}

/** A descriptor in C's layout. C copies it during the topic's creation. */
class DescriptorImage {
  readonly #blocks: Block[] = [];
  readonly #image = new Block(DESCRIPTOR.bytes);

  constructor(descriptor: Descriptor) {
    const { view } = this.#image;
    view.setUint32(DESCRIPTOR.size, descriptor.size, true);
    view.setUint32(DESCRIPTOR.align, descriptor.align, true);
    view.setUint32(DESCRIPTOR.flagset, descriptor.flags, true);
    view.setUint32(DESCRIPTOR.nkeys, descriptor.keys.length, true);
    view.setUint32(DESCRIPTOR.nops, descriptor.instructionCount, true);
    this.#point(DESCRIPTOR.typename, cString(descriptor.typeName));
    this.#point(DESCRIPTOR.meta, cString(""));
    this.#point(DESCRIPTOR.ops, this.#words(descriptor.ops));
    if (descriptor.keys.length > 0) this.#point(DESCRIPTOR.keys, this.#keys(descriptor));
  }

  /** Releases the memory; C must have read it. */
  release(): void {
    this.#blocks.length = 0;
  }

  get pointer(): Block["pointer"] {
    return this.#image.pointer;
  }

  #point(offset: number, block: Block): void {
    this.#blocks.push(block);
    this.#image.setAddress(offset, block.pointer);
  }

  #words(words: Uint32Array): Block {
    const block = new Block(words.length * 4);
    words.forEach((word, i) => block.view.setUint32(i * 4, word, true));
    return block;
  }

  #keys({ keys }: Descriptor): Block {
    const block = new Block(keys.length * KEY_BYTES);
    keys.forEach(({ name, index, order }, i) => {
      const text = cString(name);
      this.#blocks.push(text);
      block.setAddress(i * KEY_BYTES, text.pointer);
      block.view.setUint32(i * KEY_BYTES + 8, index, true);
      block.view.setUint32(i * KEY_BYTES + 12, order, true);
    });
    return block;
  }
}
