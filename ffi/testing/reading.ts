/** A small keyed type for tests. */
export const Reading = {
  kind: "struct",
  name: "demo::Reading",
  key: ["sensor"],
  fields: { sensor: "string", celsius: "f64", tags: { kind: "sequence", of: "string" } },
} as const;
