/** A participant: the process's membership in a DDS domain. It creates all other entities. */
import { Entity } from "./entity.ts";
import { check } from "./error.ts";
import { loadLibrary, stoppable } from "./library.ts";
import { withCString } from "./memory.ts";
import { effectiveQos, type Qos } from "./qos.ts";
import { Reader } from "./reader.ts";
import { Topic } from "./topic.ts";
import type { StructDecl } from "./types.ts";
import { Writer } from "./writer.ts";

/** Largest domain id whose ports fit the default port mapping. */
export const MAX_DOMAIN_ID = 230;

export interface ParticipantOptions {
  /** 0 to 230; participants hear each other only within a domain. */
  readonly domainId?: number;
  /**
   * Cyclone DDS configuration (XML) in place of `CYCLONEDDS_URI`; discarded when the participant is
   * closed.
   */
  readonly configXml?: string;
}

/**
 * Creates and owns topics, writers and readers, and closes them when it is closed. Every entity
 * belongs to the thread that created it. Its methods throw DdsClosedError after close().
 */
export class Participant extends Entity {
  /** The domain that it has joined, 0 to 230. */
  readonly domainId: number;

  /** @internal Use createParticipant(). */
  constructor(domainId: number, domain: Entity | undefined) {
    const handle = loadLibrary().dds.dds_create_participant(domainId, null, null);
    check(handle, "dds_create_participant", `join DDS domain ${domainId}`);
    super(handle, `participant in domain ${domainId}`, domain);
    this.domainId = domainId;
  }

  /**
   * Creates a topic. Two participants communicate when name, type name and layout agree. The
   * declaration is copied; `qos` is the default for its writers and readers. Throws TypeError for
   * an invalid name or declaration, DdsError when Cyclone refuses.
   */
  topic<const D extends StructDecl>(name: string, type: D, qos: Qos = {}): Topic<D> {
    return new Topic(this, this.handle(), name, type, qos);
  }

  /**
   * Makes a writer of a topic of this participant. Throws TypeError for a wrong QoS or topic,
   * DdsError when Cyclone refuses.
   */
  writer<D extends StructDecl>(topic: Topic<D>, qos: Qos = {}): Writer<D> {
    return new Writer(this, this.#handleFor(topic), topic, effectiveQos("writer", qos, topic.qos));
  }

  /** Makes a reader of a topic of this participant. Throws like writer(). */
  reader<D extends StructDecl>(topic: Topic<D>, qos: Qos = {}): Reader<D> {
    return new Reader(this, this.#handleFor(topic), topic, effectiveQos("reader", qos, topic.qos));
  }

  #handleFor(topic: Topic): number {
    const handle = this.handle();
    if (topic.participant !== this) {
      throw new TypeError(`Cannot use the ${topic.description}: another participant has made it`);
    }
    return handle;
  }
}

/** A domain with its own configuration; closed with its only participant. */
class Domain extends Entity {
  constructor(domainId: number, configXml: string) {
    const handle = withCString(stoppable(configXml), (text) =>
      loadLibrary().dds.dds_create_domain(domainId, text),
    );
    check(handle, "dds_create_domain", `configure DDS domain ${domainId} (once per process)`);
    super(handle, `domain ${domainId}`);
  }
}

class ConfiguredParticipant extends Participant {
  readonly #domain: Domain;

  constructor(domainId: number, domain: Domain) {
    super(domainId, domain);
    this.#domain = domain;
  }

  protected override afterDelete(): void {
    this.#domain.close();
  }
}

/**
 * Joins a DDS domain. Throws DdsLibraryError when the C library is missing, DdsError when Cyclone
 * cannot join (no usable network interface, a bad configuration), TypeError for a bad option.
 */
export function createParticipant(options: ParticipantOptions = {}): Participant {
  const { domainId = 0, configXml, ...unknown } = options;
  for (const name of Object.keys(unknown)) {
    throw new TypeError(`Cannot join a domain: ${name} is not an option`);
  }
  if (!Number.isInteger(domainId) || domainId < 0 || domainId > MAX_DOMAIN_ID) {
    throw new TypeError(
      `Cannot join a domain: domainId must be a whole number from 0 to ${MAX_DOMAIN_ID}, but is ${domainId}`,
    );
  }
  if (configXml === undefined) return new Participant(domainId, undefined);
  const domain = new Domain(domainId, configXml);
  try {
    return new ConfiguredParticipant(domainId, domain);
  } catch (error) {
    domain.close();
    throw error;
  }
}
