/** What an investigation by a model works with. */
import type { InvestigationInput } from "../investigator.ts";
import type { Toolbox } from "../toolbox.ts";
import type { Spending } from "../model/budget.ts";
import type { Chooser } from "./chooser.ts";

export interface SessionOptions {
  readonly input: InvestigationInput;
  readonly client: Chooser;
  readonly spending: Spending;
  readonly tools: Toolbox;
  /** Ablation: without it the values before the incident are not shown. */
  readonly contrast: boolean;
  /** Ablation: without it the first choice stands. */
  readonly refutation: boolean;
  readonly nowMs: number;
}
