/**
 * The rules of the house, as functions from the tree's text to a list of what breaks them. The test
 * beside this file holds them against the real tree, and each of them against a tree that breaks
 * it.
 *
 * Left to the linter: sizes of files and functions, `any`, empty catches, unused code.
 */

/** Every text file of the project: path from its root, text. */
export type Tree = ReadonlyMap<string, string>;

/** Who may import what of ours, by folder; the longest matching folder counts. */
const IMPORT_TABLE: Readonly<Record<string, readonly string[]>> = {
  ffi: [],
  "lib/base": [],
  "lib/setup": ["lib/base", "lib/sandbox"],
  "lib/contract": ["lib/base"],
  "lib/truth": ["lib/base", "lib/contract"],
  "lib/telemetry": ["lib/base", "lib/contract"],
  "lib/service": ["lib/base", "lib/contract", "lib/telemetry", "ffi"],
  "lib/cms": ["lib/base", "lib/contract", "lib/service"],
  "observability/server": ["lib/base", "lib/contract"],
  "lib/sandbox": ["lib/base"],
  "lib/lab": ["lib/base", "lib/contract", "lib/sandbox"],
  "lib/incident": ["lib/base", "lib/contract", "lib/lab"],
  scenarios: ["lib/base", "lib/contract", "lib/truth", "lib/lab"],
  "lib/investigate": ["lib/base", "lib/contract", "lib/sandbox"],
  "lib/score": ["lib/base", "lib/contract", "lib/truth"],
  "lib/run": [
    "lib/base",
    "lib/contract",
    "lib/truth",
    "lib/lab",
    "lib/incident",
    "lib/investigate",
    "lib/score",
    "scenarios",
  ],
  "lib/cli": ["lib/base", "lib/contract", "lib/setup", "lib/run"],
  "lib/endurance": [
    "lib/base",
    "lib/contract",
    "lib/lab",
    "lib/service",
    "lib/telemetry",
    "lib/incident",
    "lib/investigate",
    "lib/run",
    "lib/cli",
    "scenarios",
    "observability/server",
  ],
  "runner.ts": ["lib/base", "lib/setup", "lib/cli"],
  "lib/tidy.ts": [],
  "lib/tidy.test.ts": [],
};

/** Each service may import these, and itself, but never another service and never ffi. */
const SERVICE_IMPORTS = ["lib/base", "lib/contract", "lib/telemetry", "lib/service", "lib/cms"];

const TOP_LEVEL =
  /^(package\.json|bunfig\.toml|tsconfig\.json|ffi|services|lib|docker-compose\.yml|observability|scenarios|runner\.ts|results|README\.md|bun\.lock|LICENSE|CHANGELOG\.md|Dockerfile(\..*)?|\..*)$/;

/**
 * A path from the project's root in backticks. What runs leave below results/ is not in the tree.
 */
const NAMED_PATH = /`((?:ffi|lib|services|observability|scenarios)\/[\w./-]*)`/g;

interface Ban {
  readonly pattern: RegExp;
  readonly instead: string;
  /** Paths where it is allowed. */
  readonly allowed: RegExp;
}

const BANS: readonly Ban[] = [
  {
    pattern: /\bDate\.now\(|\bnew Date\(\)/,
    instead: "a Clock of lib/base/clock.ts",
    allowed: /^(lib\/base\/|ffi\/|observability\/server\/console\/client\/)/,
  },
  {
    pattern: /\bMath\.random\(/,
    instead: "a Prng of lib/base/prng.ts",
    allowed: /^(lib\/base\/|ffi\/)/,
  },
  {
    pattern: /\bprocess\.env\b|\bBun\.env\b/,
    instead: "processEnv() of lib/base/env.ts",
    allowed: /^(lib\/base\/|ffi\/)/,
  },
  {
    pattern: /\bBun\.sleep\(|\bsetTimeout\((resolve|done|r)\b/,
    instead: "waitUntil() of lib/base/wait.ts, or a Clock's sleep()",
    allowed: /^(lib\/base\/|ffi\/|observability\/server\/console\/client\/)/,
  },
  {
    pattern: /from "bun:ffi"/,
    instead: "the classes of ffi/mod.ts",
    allowed: /^ffi\//,
  },
  {
    pattern: /^\s+private (readonly |static |async )?\w+/m,
    instead: "#names",
    allowed: /^$/,
  },
  {
    pattern: /^(?=.{101})\s*(\/\/(?! oxlint)|\/?\*)/m,
    instead: "wrapping comments at 100 columns",
    allowed: /^$/,
  },
  {
    pattern: /\b(TODO|FIXME|XXX|HACK)\b/,
    instead: "doing it, or an issue",
    allowed: /^$/,
  },
];

const isTest = (path: string): boolean => /\.(test|case)\.tsx?$/.test(path);
const isSource = (path: string): boolean => /\.tsx?$/.test(path);

/** The files of ours that `path` imports, as paths from the root; type-only imports count. */
export function importsOf(path: string, text: string): string[] {
  const found: string[] = [];
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^;'"]*?["'](\.[^"'\n]+)["']|import\(\s*["'](\.[^"'\n]+)["']/g;
  for (const match of text.matchAll(pattern)) {
    const target = match[1] ?? match[2];
    if (target !== undefined) found.push(resolve(path, target));
  }
  return found;
}

function resolve(from: string, target: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const step of target.split("/")) {
    if (step === "..") parts.pop();
    else if (step !== ".") parts.push(step);
  }
  return parts.join("/");
}

const within = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(`${folder}/`);

function ownerOf(path: string): { folder: string; allowed: readonly string[] } | undefined {
  const service = /^services\/[^/]+/.exec(path)?.[0];
  if (service !== undefined) return { folder: service, allowed: SERVICE_IMPORTS };
  const folder = Object.keys(IMPORT_TABLE)
    .filter((candidate) => within(path, candidate))
    .toSorted((a, b) => b.length - a.length)[0];
  return folder === undefined ? undefined : { folder, allowed: IMPORT_TABLE[folder] ?? [] };
}

/** Test support: doubles in `testing/`, real counterparts in `peers/`, benchmarks in `bench/`. */
const isPartOf = (path: string, folder: string): boolean => path.split("/").includes(folder);
/** Peers and benchmarks put several parts together, so the table does not hold for them. */
const isAssembly = (path: string): boolean => isPartOf(path, "peers") || isPartOf(path, "bench");
const mayUseDoubles = (path: string): boolean =>
  isTest(path) || isAssembly(path) || isPartOf(path, "testing");

/** Imports that the table does not allow, and doubles that a program imports. */
export function checkImports(tree: Tree): string[] {
  const problems: string[] = [];
  for (const [path, text] of tree) {
    if (!isSource(path) || path === "lib/tidy.test.ts") continue;
    const owner = ownerOf(path);
    if (owner === undefined) {
      problems.push(`${path}: its folder is not in the import table of lib/tidy.ts`);
      continue;
    }
    for (const target of importsOf(path, text)) {
      const own = within(target, owner.folder) || target === "lib/tidy.ts" || isAssembly(path);
      if (!own && !owner.allowed.some((folder) => within(target, folder))) {
        problems.push(`${path}: ${owner.folder} may not import ${target}`);
      }
      if (isPartOf(target, "testing") && !mayUseDoubles(path)) {
        problems.push(`${path}: only tests, peers and benches may import ${target}`);
      }
    }
  }
  return problems;
}

/** Folders whose files may not reach these others, not even through a third file. */
const APART: Readonly<Record<string, readonly string[]>> = {
  // A model is compared by these, so no knowledge of faults may reach it.
  "lib/investigate/react": ["lib/investigate/faults", "lib/investigate/hypotheses"],
  "lib/investigate/floors": ["lib/investigate/faults", "lib/investigate/hypotheses"],
  "lib/investigate/model": ["lib/investigate/faults", "lib/investigate/hypotheses"],
};

/** Files that reach, by their imports and those of what they import, what must stay apart. */
export function checkApart(tree: Tree): string[] {
  const problems: string[] = [];
  for (const [folder, apart] of Object.entries(APART)) {
    for (const path of tree.keys()) {
      if (!isSource(path) || isTest(path) || !within(path, folder)) continue;
      const way = wayTo(tree, path, apart);
      if (way !== undefined)
        problems.push(`${path} must not reach ${way.at(-1)}: ${way.join(" > ")}`);
    }
  }
  return problems;
}

/** The first chain of imports from a file into one of the folders. */
function wayTo(tree: Tree, from: string, folders: readonly string[]): string[] | undefined {
  const queue: string[][] = [[from]];
  const seen = new Set([from]);
  for (let way = queue.shift(); way !== undefined; way = queue.shift()) {
    const last = way.at(-1) ?? from;
    if (folders.some((folder) => within(last, folder))) return way;
    for (const target of importsOf(last, tree.get(last) ?? "")) {
      if (!seen.has(target)) queue.push([...way, target]);
      seen.add(target);
    }
  }
  return undefined;
}

/** Calls that have a better place or form, with that in the message. */
export function checkBans(tree: Tree): string[] {
  const problems: string[] = [];
  for (const [path, text] of tree) {
    if (!isSource(path) || path === "lib/tidy.ts" || path === "lib/tidy.test.ts") continue;
    for (const { pattern, instead, allowed } of BANS) {
      if (allowed.test(path)) continue;
      const hit = pattern.exec(text);
      if (hit === null) continue;
      const line = text.slice(0, hit.index).split("\n").length;
      problems.push(`${path}:${line}: \`${hit[0].trim()}\` is not used here; use ${instead}`);
    }
  }
  return problems;
}

/** `bun:ffi` is imported in three files at most. */
export function checkFfiSurface(tree: Tree): string[] {
  const users = [...tree].filter(
    ([path, text]) => !isTest(path) && text.includes('from "bun:ffi"'),
  );
  return users.length <= 3
    ? []
    : [`bun:ffi may be imported in three files, not in ${users.map(([path]) => path).join(", ")}`];
}

/**
 * Listeners that answer under any name: a page on the Internet could make its own name point to
 * this machine and read them.
 */
export function checkListeners(tree: Tree): string[] {
  return [...tree]
    .filter(([path, text]) => isSource(path) && !mayUseDoubles(path) && text.includes("Bun.serve("))
    .filter(([path, text]) => path !== "lib/tidy.ts" && !text.includes("underLocalNames("))
    .map(([path]) => `${path}: Bun.serve() needs underLocalNames() of lib/base/host.ts`);
}

/** Source files that nothing reaches: no program, no test, no import. */
export function checkDeadFiles(tree: Tree): string[] {
  const sources = [...tree.keys()].filter(isSource);
  const isEntry = (path: string): boolean =>
    isTest(path) ||
    /(^|\/)(main|runner|[a-z-]+\.worker|worker|supervisor|daemon|scenario)\.tsx?$/.test(path) ||
    // Loaded by the names of the catalogue.
    path.startsWith("lib/investigate/faults/") ||
    // Loaded by the names of the folder.
    path.startsWith("scenarios/kinds/") ||
    path.endsWith(".d.ts");
  const isNamedElsewhere = (path: string): boolean => {
    const name = path.split("/").at(-1) ?? path;
    return [...tree].some(
      ([other, text]) =>
        other !== path && (text.includes(`/${name}`) || text.includes(`"${name}"`)),
    );
  };
  const reached = new Set<string>();
  const queue = sources.filter(isEntry);
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    queue.push(...importsOf(path, tree.get(path) ?? ""));
  }
  return sources
    .filter((path) => !reached.has(path) && !isNamedElsewhere(path))
    .map((path) => `${path}: nothing imports or starts it`);
}

/** Entries at the top that do not belong there. */
export function checkTopLevel(tree: Tree): string[] {
  const entries = new Set([...tree.keys()].map((path) => path.split("/")[0] ?? path));
  return [...entries]
    .filter((entry) => !TOP_LEVEL.test(entry))
    .map((entry) => `${entry}: not a top-level entry`);
}

/**
 * Folders of source without a README, files whose names are not kebab-case, and READMEs without one
 * title.
 */
export function checkNamesAndReadmes(tree: Tree): string[] {
  const problems: string[] = [];
  const folders = new Set<string>();
  for (const path of tree.keys()) {
    const name = path.split("/").at(-1) ?? path;
    if (isSource(path) && !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*\.tsx?$/.test(name)) {
      problems.push(`${path}: names of source files are kebab-case`);
    }
    const folder =
      /^(ffi|(?:lib|services|scenarios)\/[^/]+|observability|scenarios|results)\//.exec(path)?.[1];
    if (folder !== undefined) folders.add(folder);
  }
  for (const folder of folders) {
    const described = tree.has(`${folder}/README.md`) || tree.has(`${folder}/expected_rca.md`);
    if (!described) problems.push(`${folder}: has no README.md`);
  }
  for (const [path, text] of tree) {
    if (!path.endsWith(".md")) continue;
    const titles = text.replaceAll(/```[\s\S]*?```/g, "").match(/^# .+$/gm)?.length ?? 0;
    if (titles !== 1) problems.push(`${path}: has ${titles} titles; a page has one`);
  }
  return problems;
}

/**
 * Paths that a page names in backticks and that the tree does not have. A path with a placeholder
 * or a star does not count.
 */
export function checkNamedPaths(tree: Tree): string[] {
  const problems: string[] = [];
  const folders = new Set<string>();
  for (const path of tree.keys()) {
    const steps = path.split("/");
    for (let i = 1; i < steps.length; i++) folders.add(steps.slice(0, i).join("/"));
  }
  for (const [path, text] of tree) {
    if (!path.endsWith(".md")) continue;
    for (const match of text.matchAll(NAMED_PATH)) {
      const named = (match[1] ?? "").replace(/\/$/, "");
      if (!tree.has(named) && !folders.has(named))
        problems.push(`${path}: ${named} does not exist`);
    }
  }
  return problems;
}

/** Kinds of fault in the test split, of which nothing that investigates may know. */
export function checkHeldOut(tree: Tree): string[] {
  const heldOut = [...tree].flatMap(([path, text]) => {
    const kind = /^scenarios\/kinds\/([a-z-]+)\.ts$/.exec(path)?.[1];
    return kind !== undefined && text.includes("heldOut: true") ? [kind] : [];
  });
  return [...tree].flatMap(([path, text]) =>
    within(path, "lib/investigate")
      ? heldOut
          .filter((kind) => text.includes(kind))
          .map((kind) => `${path}: the kind ${kind} is in the test split`)
      : [],
  );
}

/**
 * Commands that let npx take whatever Bun is newest, instead of the one that package.json names.
 */
export function checkPinnedBun(tree: Tree): string[] {
  const pinned = /"packageManager": "(bun@[\d.]+)"/.exec(tree.get("package.json") ?? "")?.[1];
  return [...tree]
    .filter(([path]) => path.endsWith(".md") || isSource(path) || path.startsWith(".ci/"))
    .filter(([path]) => !isTest(path) && path !== "lib/tidy.ts")
    .flatMap(([path, text]) =>
      [...text.matchAll(/npx (?:--yes|-y) (bun[^\s`'",;)]*)/g)]
        .map(([, named = ""]) => named)
        .filter((named) => named !== pinned && !named.includes("${"))
        .map((named) => `${path}: npx runs ${named}; it must be ${pinned}`),
    );
}
