/** Base class of DDS entities: closed once, children first; every method throws afterwards. */
import { check, DdsClosedError } from "./error.ts";
import { loadLibrary } from "./library.ts";

/** Closed by close(), `using` or `await using`. */
export abstract class Entity implements Disposable, AsyncDisposable {
  #handle: number;
  readonly #children = new Set<Entity>();
  readonly #parent: Entity | undefined;
  /** Description for error messages, such as `writer of SourceTrackTopic`. */
  readonly description: string;

  constructor(handle: number, description: string, parent?: Entity) {
    this.#handle = handle;
    this.description = description;
    this.#parent = parent;
    if (parent !== undefined) parent.#children.add(this);
  }

  /** Whether close() was called on it or on its parent. */
  get closed(): boolean {
    return this.#handle === 0;
  }

  /** The C handle; throws DdsClosedError after close(). */
  protected handle(): number {
    if (this.#handle === 0) {
      throw new DdsClosedError(`Cannot use the ${this.description}: it is closed`);
    }
    return this.#handle;
  }

  /** Handle of another entity, for C functions that take two. */
  protected static handleOf(entity: Entity): number {
    return entity.handle();
  }

  /**
   * Closes this entity and its children, and waits for DDS threads that work for it. Has no effect
   * on a closed entity. A failing step does not stop the others: the entity is closed in any case,
   * then the error is thrown, or AggregateError with all of them.
   */
  close(): void {
    if (this.#handle === 0) return;
    const errors: unknown[] = [];
    const attempt = (step: () => void): void => {
      try {
        step();
      } catch (error) {
        errors.push(error);
      }
    };
    for (const child of this.#children) attempt(() => child.close());
    const handle = this.#handle;
    this.#handle = 0;
    if (this.#parent !== undefined) this.#parent.#children.delete(this);
    attempt(() => this.beforeDelete());
    attempt(() => {
      const code = loadLibrary().dds.dds_delete(handle);
      check(code, "dds_delete", `close the ${this.description}`);
    });
    attempt(() => this.afterDelete());
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) {
      const message = `Cannot close the ${this.description} cleanly: ${errors.length} errors`;
      throw new AggregateError(errors, message);
    }
  }

  /** Frees what must not exist longer than the entity. */
  protected beforeDelete(): void {}

  /** Frees what C might use until the entity is deleted. */
  protected afterDelete(): void {}

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await Promise.resolve();
  }
}
