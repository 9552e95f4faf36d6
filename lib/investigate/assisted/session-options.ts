/** Input and parameters of an investigation by a model. */
import type { InvestigationInput } from "../investigator.ts";
import type { Toolbox } from "../toolbox.ts";
import type { Spending } from "../model/budget.ts";
import type { Chooser } from "./chooser.ts";

export interface SessionOptions {
  readonly input: InvestigationInput;
  readonly client: Chooser;
  readonly spending: Spending;
  readonly tools: Toolbox;
  /** Ablation: if false, values from before the incident are not shown. */
  readonly contrast: boolean;
  /** Ablation: if false, the first choice is final. */
  readonly refutation: boolean;
  readonly nowMs: number;
}
