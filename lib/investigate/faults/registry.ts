/**
 * The registry of fault classes: one file of this folder for each row of the catalogue. The
 * catalogue defines the file names, so a new class needs its row and its file only.
 */
import { FAULT_CLASS_NAMES, type FaultClass } from "../../contract/fault-classes.ts";
import type { Entailment } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";

/** The name of a class's file. */
export const fileOf = (name: string): string => `${name.replaceAll("_", "-")}.ts`;

function byClass<T>(valueOf: (name: FaultClass) => T): Readonly<Record<FaultClass, T>> {
  return Object.fromEntries(FAULT_CLASS_NAMES.map((name) => [name, valueOf(name)])) as Record<
    FaultClass,
    T
  >;
}

const files = new Map(
  await Promise.all(
    FAULT_CLASS_NAMES.map(async (name) => {
      const file = (await import(`./${fileOf(name)}`)) as { readonly fault: Fault };
      return [name, file.fault] as const;
    }),
  ),
);

export const FAULTS = byClass((name): Fault => {
  const fault = files.get(name);
  if (fault === undefined) throw new TypeError(`${fileOf(name)} must export a fault`);
  return fault;
});

/** What each class entails. */
export const ENTAILMENTS = byClass((name): readonly Entailment[] => {
  const { entails } = FAULTS[name];
  if (typeof entails !== "function") return entails;
  return entails(FAULT_CLASS_NAMES.filter((other) => other !== name).map((other) => FAULTS[other]));
});
