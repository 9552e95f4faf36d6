/**
 * Reads and checks environment variables. An invalid value is an error with the variable, the rule
 * and the value; the default is never used in its place.
 */
import { UsageError } from "./errors.ts";

/** Environment variables by name. */
export type Env = Readonly<Record<string, string | undefined>>;

/** The variables of this process. */
export function processEnv(): Env {
  return process.env;
}

/** Sets a variable for this process and for those that it starts from now on. */
export function setEnv(name: string, value: string): void {
  process.env[name] = value;
}

/** Parses the text of a variable; calls `reject`, which throws UsageError, for an invalid value. */
export type Parser<T> = (text: string, reject: (rule: string) => never) => T;

/** Reads the variable `name`; returns `fallback` only when it is unset or empty. */
export function readEnv<T>(env: Env, name: string, fallback: T, parse: Parser<T>): T {
  const text = env[name];
  if (text === undefined || text === "") return fallback;
  return parse(text, (rule) => {
    throw new UsageError(`Cannot use ${name}: it must be ${rule}, but is ${JSON.stringify(text)}`);
  });
}

/** A finite decimal number within [min, max]; errors show `unit`. */
export function numberBetween(min: number, max: number, unit: string): Parser<number> {
  return (text, reject) => {
    const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
    if (!(value >= min && value <= max)) reject(`a number of ${unit} from ${min} to ${max}`);
    return value;
  };
}

/** A whole number within [min, max]; errors show `unit`. */
export function integerBetween(min: number, max: number, unit: string): Parser<number> {
  return (text, reject) => {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : NaN;
    if (!(value >= min && value <= max)) reject(`a whole number of ${unit} from ${min} to ${max}`);
    return value;
  };
}

/** One of a closed list of words. */
export function oneOf<const T extends string>(words: readonly T[]): Parser<T> {
  return (text, reject) => {
    const found = words.find((word) => word === text);
    return found ?? reject(`one of ${words.join(", ")}`);
  };
}

/** An absolute http or https URL, as it is but for the scheme, which becomes lower case. */
export const httpUrl: Parser<string> = (text, reject) => {
  // URL.canParse reads "http:4317" as the host 0.0.16.221.
  const isUrl = /^https?:\/\//i.test(text) && URL.canParse(text);
  if (!isUrl) reject("an http:// or https:// URL");
  return text.replace(/^[a-z]+/i, (scheme) => scheme.toLowerCase());
};
