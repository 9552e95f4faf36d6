/**
 * Views like the bus's: a subscriber that keeps one without copying it reads another message later.
 */

/**
 * Returns a view that reads each field from the object that `current` returns at that time, nested
 * objects included.
 */
export function viewOf<T extends object>(current: () => T): T {
  const read = (name: string | symbol): unknown => {
    const value: unknown = Reflect.get(current(), name);
    const isNested = typeof value === "object" && value !== null && !Array.isArray(value);
    return isNested ? viewOf(() => Reflect.get(current(), name) as object) : value;
  };
  // The type declares the fields; the target object is empty.
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
