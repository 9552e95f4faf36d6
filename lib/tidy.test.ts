import { describe, expect, test } from "bun:test";
import {
  checkApart,
  checkBans,
  checkDeadFiles,
  checkFfiSurface,
  checkHeldOut,
  checkImports,
  checkListeners,
  checkNamedPaths,
  checkNamesAndReadmes,
  checkPinnedBun,
  checkTopLevel,
  importsOf,
  type Tree,
} from "./tidy.ts";

const root = `${import.meta.dir}/..`;

async function readTree(): Promise<Tree> {
  const listed = Bun.spawnSync(["git", "ls-files", "-co", "--exclude-standard"], { cwd: root });
  const paths = listed.stdout.toString().split("\n").filter(Boolean);
  const tree = new Map<string, string>();
  for (const path of paths) {
    const file = Bun.file(`${root}/${path}`);
    if (await file.exists())
      tree.set(path, /\.(png|ico|woff2?|incident)$/.test(path) ? "" : await file.text());
  }
  return tree;
}

const tree = await readTree();
const planted = (files: Record<string, string>): Tree => new Map(Object.entries(files));

test("the tree that is checked is the real one", () => {
  expect(tree.has("lib/tidy.ts")).toBe(true);
  expect(tree.size).toBeGreaterThan(30);
});

describe("imports", () => {
  test("follow the table", () => {
    expect(checkImports(tree)).toEqual([]);
  });

  test.each([
    ["lib/investigate/a.ts", 'import type { T } from "../truth/truth.ts";', "may not import"],
    ["lib/investigate/a.ts", 'import { s } from "../../scenarios/define.ts";', "may not import"],
    [
      "services/a/main.ts",
      'import { b } from "../b/main.ts";',
      "services/a may not import services/b",
    ],
    ["services/a/main.ts", 'import { b } from "../../ffi/mod.ts";', "may not import ffi/mod.ts"],
    ["ffi/a.ts", 'export * from "../lib/base/clock.ts";', "ffi may not import lib/base/clock.ts"],
    ["lib/lab/a.ts", 'const x = await import("../score/score.ts");', "may not import lib/score"],
    ["tools/a.ts", "", "not in the import table"],
    ["ffi/a.ts", 'import { t } from "./testing/t.ts";', "only tests, peers and benches"],
  ])("%s with %p is refused", (path, text, message) => {
    expect(checkImports(planted({ [path]: text })).join()).toContain(message);
  });

  test("keep the plain agents apart from the rule book", () => {
    expect(checkApart(tree)).toEqual([]);
    const reaching = {
      "lib/investigate/react/a.ts": 'import type { B } from "../b.ts";',
      "lib/investigate/b.ts": 'export * from "./c.ts";',
      "lib/investigate/c.ts": 'import { f } from "./faults/registry.ts";',
      "lib/investigate/react/a.test.ts": 'import { f } from "../faults/registry.ts";',
    };
    expect(checkApart(planted(reaching))).toEqual([
      "lib/investigate/react/a.ts must not reach lib/investigate/faults/registry.ts: lib/investigate/react/a.ts > lib/investigate/b.ts > lib/investigate/c.ts > lib/investigate/faults/registry.ts",
    ]);
  });

  test.each(["ffi/a.test.ts", "ffi/peers/a.ts", "ffi/bench/a.ts", "ffi/testing/a.ts"])(
    "%s may import a double",
    (path) => {
      const target = path.split("/").length === 2 ? "./testing/t.ts" : "../testing/t.ts";
      expect(checkImports(planted({ [path]: `import { t } from "${target}";` }))).toEqual([]);
    },
  );

  test("importsOf() sees imports over several lines, re-exports and dynamic ones", () => {
    const text =
      'import {\n  a,\n} from "./a.ts";\nexport { b } from "../b.ts";\nawait import("./c.ts");';
    expect(importsOf("x/y/z.ts", text)).toEqual(["x/y/a.ts", "x/b.ts", "x/y/c.ts"]);
  });
});

describe("bans", () => {
  test("hold in the tree", () => {
    expect(checkBans(tree)).toEqual([]);
  });

  test.each([
    ["Date.now()", "a Clock of lib/base/clock.ts"],
    ["Math.random()", "a Prng"],
    ["process.env.HOME", "processEnv()"],
    ["await Bun.sleep(5)", "waitUntil()"],
    ['import { dlopen } from "bun:ffi"', "the classes of ffi/mod.ts"],
    ["class A {\n  private x = 1;\n}", "#names"],
    [`// ${"long ".repeat(20)}`, "wrapping comments"],
    [`/** ${"long ".repeat(20)} */`, "wrapping comments"],
  ])("%p is refused with what to use instead", (text, message) => {
    expect(checkBans(planted({ "lib/score/a.ts": text })).join()).toContain(message);
  });

  test("every listener checks the Host header", () => {
    expect(checkListeners(tree)).toEqual([]);
    const open = "Bun.serve({ fetch: () => new Response() });";
    const checked = "Bun.serve({ fetch: underLocalNames(() => new Response()) });";
    const made = new Map([
      ["lib/a.ts", open],
      ["lib/b.ts", checked],
      ["lib/testing/c.ts", open],
    ]);
    expect(checkListeners(made)).toEqual([expect.stringContaining("lib/a.ts: Bun.serve()")]);
  });

  test("bun:ffi is imported in three files at most", () => {
    expect(checkFfiSurface(tree)).toEqual([]);
    const text = 'import { ptr } from "bun:ffi";';
    const four = planted({
      "ffi/a.ts": text,
      "ffi/b.ts": text,
      "ffi/c.ts": text,
      "ffi/d.ts": text,
    });
    expect(checkFfiSurface(four)).toHaveLength(1);
  });
});

describe("structure", () => {
  test("no dead files", () => {
    expect(checkDeadFiles(tree)).toEqual([]);
    expect(checkDeadFiles(planted({ "lib/score/orphan.ts": "export const a = 1;" }))).toHaveLength(
      1,
    );
  });

  test("commands with npx name the Bun that the project is made for", () => {
    expect(checkPinnedBun(tree)).toEqual([]);
    const made = planted({
      "package.json": '{ "packageManager": "bun@1.4.5" }',
      "README.md": "`npx --yes bun run up`, `npx --yes bun@1.4.4` and `npx --yes bun@1.4.5`",
    });
    expect(checkPinnedBun(made)).toEqual([
      "README.md: npx runs bun; it must be bun@1.4.5",
      "README.md: npx runs bun@1.4.4; it must be bun@1.4.5",
    ]);
  });

  test("only known entries at the top", () => {
    expect(checkTopLevel(tree)).toEqual([]);
    expect(checkTopLevel(planted({ "tools/a.sh": "" }))).toEqual(["tools: not a top-level entry"]);
  });

  test("what a page names exists", () => {
    expect(checkNamedPaths(tree)).toEqual([]);
    const page = "# A\n\nSee `lib/a.ts`, `lib/gone.ts`, `lib/b/` and `lib/<name>/`.\n";
    const files = { "README.md": page, "lib/a.ts": "", "lib/b/c.ts": "" };
    expect(checkNamedPaths(planted(files))).toEqual(["README.md: lib/gone.ts does not exist"]);
  });

  test("nothing that investigates names a kind of the test split", () => {
    expect(checkHeldOut(tree)).toEqual([]);
    const files = {
      "scenarios/kinds/odd-thing.ts": "heldOut: true,",
      "scenarios/kinds/known-thing.ts": "",
      "lib/investigate/a.ts": "what an odd-thing shows, and a known-thing",
      "lib/run/b.ts": "odd-thing",
    };
    expect(checkHeldOut(planted(files))).toEqual([
      "lib/investigate/a.ts: the kind odd-thing is in the test split",
    ]);
    expect(
      [...tree.values()].filter((text) => text.includes("heldOut: true,")).length,
    ).toBeGreaterThan(3);
  });

  test("kebab-case names, a README in every folder, one title a page", () => {
    expect(checkNamesAndReadmes(tree)).toEqual([]);
    const bad = planted({ "lib/score/BadName.ts": "", "lib/score/README.md": "# A\n\n# B\n" });
    expect(checkNamesAndReadmes(bad)).toHaveLength(2);
    expect(checkNamesAndReadmes(planted({ "lib/x/a.ts": "" }))).toEqual([
      "lib/x: has no README.md",
    ]);
  });
});
