/** A progress without output. */
import type { Progress } from "../progress.ts";

export const silent: Progress = { line: () => {}, waiting: () => {}, settle: () => {} };
