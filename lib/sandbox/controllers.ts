/** The controllers of control groups that limit processes here. */

export const CONTROLLERS = ["cpu", "memory"] as const;

/** Those of the controllers that a file such as cgroup.controllers does not name. */
export function missingControllers(text: string): string[] {
  const named = new Set(text.trim().split(/\s+/));
  return CONTROLLERS.filter((name) => !named.has(name));
}
