/** The browser of the page tests: Debian's Chromium. */
import { existsSync, readFileSync } from "node:fs";

export const CHROMIUM = "/usr/bin/chromium";

/** Why pages cannot be tested with what a machine has; undefined where they can, or must. */
export function whyNoPages(hasChromium: boolean, osRelease: string): string | undefined {
  if (hasChromium || !/^ID="?ubuntu"?$/m.test(osRelease)) return undefined;
  return `Ubuntu's Chromium is a snap, and there is no ${CHROMIUM}`;
}

const RELEASE = "/etc/os-release";
const release = existsSync(RELEASE) ? readFileSync(RELEASE, "utf8") : "";

/** The reason with which page tests are skipped, and counted; undefined where they run. */
export const WHY_NO_PAGES = whyNoPages(existsSync(CHROMIUM), release);

/** Throws on a machine that could have the browser and lacks it. */
export function mustHaveChromium(): void {
  if (existsSync(CHROMIUM)) return;
  throw new Error(`These tests need ${CHROMIUM}: apt-get install chromium`);
}
