/** Reads the compose file as Compose does: merge keys resolved, variables replaced. */
import { readFileSync } from "node:fs";

export interface ComposeService {
  readonly image: string;
  readonly build?: unknown;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly volumes?: readonly string[];
  readonly profiles?: readonly string[];
  readonly depends_on?: unknown;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly mem_limit?: string;
  readonly cpu_shares?: number;
  readonly cpus?: unknown;
  readonly restart?: string;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly user?: string;
}

export interface ComposeFile {
  readonly name: string;
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, unknown>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** Reads the file with these variables set; all others keep their defaults. */
export function readComposeFile(
  path: string,
  variables: Readonly<Record<string, string>> = {},
): ComposeFile {
  const text = readFileSync(path, "utf8").replaceAll(
    /\$\{(\w+):-([^}]*)\}/g,
    (_, name: string, fallback: string) => variables[name] ?? fallback,
  );
  return merged(Bun.YAML.parse(text)) as ComposeFile;
}

/** Resolves merge keys: own keys override merged ones, earlier sources override later ones. */
function merged(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(merged);
  if (typeof value !== "object" || value === null) return value;
  const { "<<": sources = [], ...own } = value as Record<string, unknown>;
  const list = (Array.isArray(sources) ? sources : [sources]) as unknown[];
  const base = list.toReversed().map(merged) as Record<string, unknown>[];
  const resolved = Object.fromEntries(Object.entries(own).map(([key, one]) => [key, merged(one)]));
  return Object.assign({}, ...base, resolved);
}
