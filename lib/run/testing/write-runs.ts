/**
 * Repeatedly replaces a folder, with the next number in every file, until killed: `bun
 * write-runs.ts <folder>`.
 */
import { replaceFolder } from "../replace-folder.ts";

const [folder = ""] = Bun.argv.slice(2);
for (let number = 1; ; number++) {
  const text = JSON.stringify({ number });
  replaceFolder(folder, { "run.log": text, "rca.json": text, "manifest.json": text });
  if (number === 1) process.stdout.write("writing\n");
}
