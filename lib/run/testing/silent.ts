/** A display that shows nothing. */
import type { Progress } from "../progress.ts";

export const silent: Progress = { line: () => {}, waiting: () => {}, settle: () => {} };
