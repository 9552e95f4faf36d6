/**
 * Views like those that the bus hands out: a subscriber that keeps one instead of a copy reads
 * another message later.
 */

/** Shows the object that `current` returns whenever a field is read, nested objects as well. */
export function viewOf<T extends object>(current: () => T): T {
  const read = (name: string | symbol): unknown => {
    const value: unknown = Reflect.get(current(), name);
    const isNested = typeof value === "object" && value !== null && !Array.isArray(value);
    return isNested ? viewOf(() => Reflect.get(current(), name) as object) : value;
  };
  // The type says what may be read; the target holds nothing.
  return new Proxy({} as T, {
    get: (_, name) => read(name),
    has: (_, name) => Reflect.has(current(), name),
    ownKeys: () => Reflect.ownKeys(current()),
    getOwnPropertyDescriptor: (_, name) =>
      Reflect.has(current(), name)
        ? { value: read(name), enumerable: true, configurable: true }
        : undefined,
  });
}
