/** Runs the assisted agent on a simulated incident with a scripted model, for tests. */
import type { Alert } from "../../../contract/alert.ts";
import type { SingleFaultAnswer } from "../../../contract/answer.ts";
import { singleFormOf } from "../../../contract/testing/answers.ts";
import type { Budget, Investigation } from "../../investigator.ts";
import {
  type ChatRequestSeen,
  type ScriptedServerOptions,
  startScriptedServer,
} from "../../model/testing/scripted-server.ts";
import { SIMULATED_INCIDENTS, type SimulatedIncident } from "../../testing/incidents.ts";
import type { Simulation } from "../../testing/simulation.ts";
import type { SystemNumbers } from "../../testing/system.ts";
import { type AssistedOptions, createAssistedInvestigator } from "../agent.ts";

export const BUDGET: Budget = { wallMs: 20_000, rounds: 5, tokens: 60_000 };

export interface Examined {
  readonly result: Investigation;
  readonly lines: readonly string[];
  readonly phases: readonly string[];
  readonly chats: readonly ChatRequestSeen[];
}

export interface Setting extends Partial<Omit<AssistedOptions, "toolbox">> {
  readonly budget?: Partial<Budget>;
  readonly server?: Partial<ScriptedServerOptions>;
  readonly system?: SystemNumbers;
  readonly alert?: Alert;
}

/** Runs one investigation of a simulated incident with a scripted model. */
export async function examine(
  simulation: Simulation,
  incident: SimulatedIncident,
  reply: ScriptedServerOptions["reply"],
  setting: Setting = {},
): Promise<Examined> {
  const {
    budget,
    server: own,
    system = incident.system,
    alert = incident.alert,
    ...rest
  } = setting;
  const { toolbox, clock, urls, at } = simulation.of(system);
  await using server = startScriptedServer({ reply, ...own });
  const lines: string[] = [];
  const phases: string[] = [];
  const investigator = createAssistedInvestigator({
    model: "scripted:1b",
    ...rest,
    env: { OLLAMA_HOST: server.url, ...rest.env },
    toolbox,
    clock,
  });
  const result = await investigator.investigate({
    alert: at(alert),
    urls,
    budget: { ...BUDGET, ...budget },
    seed: 1,
    transcript: {
      phase: (phase, detail) => {
        phases.push(phase);
        lines.push(`${phase}: ${detail ?? ""}`);
      },
      note: (line) => lines.push(line),
    },
  });
  return { result, lines, phases, chats: server.chats };
}

export function incidentOf(name: string): SimulatedIncident {
  const found = SIMULATED_INCIDENTS.find((incident) => incident.name === name);
  if (found === undefined) throw new Error(`there is no incident ${name}`);
  return found;
}

export function answerOf({ outcome }: Investigation): SingleFaultAnswer {
  if (outcome.kind !== "answered") throw new Error(outcome.reason);
  return singleFormOf(outcome.answer);
}

export const isRight = (
  { culprit, fault_class }: SingleFaultAnswer,
  incident: SimulatedIncident,
): boolean => culprit === incident.service && fault_class === incident.faultClass;
