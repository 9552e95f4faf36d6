/** Runs jobs as they are added, with a maximum number at a time. */
export class Pool {
  readonly #size: number;
  readonly #waiting: (() => void)[] = [];
  readonly #all: Promise<unknown>[] = [];
  #running = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** Adds a job without waiting for it; `done` reports failures. */
  add(work: () => Promise<unknown>): void {
    const run = this.#run(work);
    // Reported by done(); until then the rejection is handled here.
    run.catch(() => undefined);
    this.#all.push(run);
  }

  async #run(work: () => Promise<unknown>): Promise<void> {
    while (this.#running >= this.#size) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    this.#running++;
    try {
      await work();
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  /** Waits for all work, and throws the first failure. */
  async done(): Promise<void> {
    const ended = await Promise.allSettled(this.#all);
    const failed = ended.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }
}
