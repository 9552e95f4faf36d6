import { afterAll, describe, expect, test } from "bun:test";
import {
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { giveBack, personBehindSudo } from "./sudo.ts";

const AS_ROOT = process.getuid?.() === 0;
const PERSON = { uid: 1234, gid: 1235 };
const SUDO = { SUDO_UID: "1234", SUDO_GID: "1235" };

const folder = mkdtempSync(`${tmpdir()}/sudo-`);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ownerOf = (path: string): number => lstatSync(`${folder}/${path}`).uid;

describe.skipIf(!AS_ROOT)("under sudo (needs root)", () => {
  test("the person is whoever called it, in a folder of their own", () => {
    expect(personBehindSudo(folder, SUDO)).toBeUndefined();
    lchownSync(folder, PERSON.uid, PERSON.gid);
    expect(personBehindSudo(folder, SUDO)).toEqual(PERSON);
    expect(personBehindSudo(folder, {})).toBeUndefined();
    expect(personBehindSudo(folder, { SUDO_UID: "0", SUDO_GID: "0" })).toBeUndefined();
    expect(personBehindSudo(folder, { SUDO_UID: "x", SUDO_GID: "1" })).toBeUndefined();
    expect(personBehindSudo(folder, SUDO, 1234)).toBeUndefined();
  });

  test("what root wrote is given back, and nothing else, and no link is followed", () => {
    mkdirSync(`${folder}/results/deep`, { recursive: true });
    writeFileSync(`${folder}/results/deep/file`, "");
    writeFileSync(`${folder}/results/others`, "");
    lchownSync(`${folder}/results/others`, 65534, 65534);
    writeFileSync(`${folder}/outside`, "");
    symlinkSync(`${folder}/outside`, `${folder}/results/link`);
    giveBack([`${folder}/results`, `${folder}/absent`], PERSON);
    for (const path of ["results", "results/deep", "results/deep/file", "results/link"]) {
      expect(ownerOf(path)).toBe(PERSON.uid);
    }
    expect(ownerOf("results/others")).toBe(65534);
    expect(ownerOf("outside")).toBe(0);
    giveBack([`${folder}/results`], PERSON, [0, 65534]);
    expect(ownerOf("results/others")).toBe(PERSON.uid);
  });
});
