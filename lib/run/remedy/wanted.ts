/**
 * Determines the remedies to execute on an incident: those of answers, the floors, and the matrix.
 */
import type { Answer } from "../../contract/answer.ts";
import {
  FAULT_CLASSES,
  REMEDIATION_NAMES,
  type Remediation,
} from "../../contract/fault-classes.ts";
import { isServiceName, SERVICES, type ServiceName } from "../../contract/topology.ts";
import type { Scenario } from "../../../scenarios/load.ts";
import { type Act, type Orders, ordersIn, readRemedy } from "./read-remedy.ts";

/** The acts of an examination's answer; none without an answer. */
export const ordersOf = (answer: Answer | null): Orders => ordersIn(answer?.faults ?? []);

const restartOf = (target: ServiceName): Act => ({
  action: "restart_service",
  target,
  setting: null,
  value: null,
});

/** Remedies that need no diagnosis, by name. */
export const FLOORS = ["do nothing", "restart the alerted service", "restart everything"] as const;
export type Floor = (typeof FLOORS)[number];

export function actsOfFloor(
  floor: Floor,
  { alertTemplate }: Pick<Scenario, "alertTemplate">,
): Act[] {
  switch (floor) {
    case "do nothing":
      return [];
    case "restart the alerted service":
      return [restartOf(alertTemplate.pipeline_name)];
    case "restart everything":
      return SERVICES.map(restartOf);
  }
}

/** The actions of the matrix: all that can change something. */
export const MATRIX_ACTIONS = REMEDIATION_NAMES.filter(
  (name) => name !== "no_action" && name !== "gather_more_evidence",
);

/**
 * An action on the faulty service, with its default value; `correct_configuration` names the
 * variable that the fault set. Without a fault, on the service of the harmless change.
 */
export function actsOfMatrix(
  action: Remediation,
  { truth, fault }: Pick<Scenario, "truth" | "fault">,
): Act[] {
  const target = truth.faults[0]?.remediation.target ?? fault.parameters["service"];
  if (typeof target !== "string" || !isServiceName(target)) return [];
  const setting = settingOf(fault);
  const parameters: Record<string, string> =
    action === "correct_configuration" && setting !== undefined ? { setting } : {};
  const read = readRemedy({ action, target, parameters });
  return read.kind === "act" ? [read.act] : [];
}

/** The variable that the fault set. */
const settingOf = ({ parameters }: Scenario["fault"]): string | undefined =>
  Object.keys(parameters).find((name) => /^[A-Z][A-Z0-9_]+$/.test(name));

/**
 * Whether an action fits a scenario's fault, according to its truth or its class. A corrected
 * configuration that names the variable set by the fault fits as well.
 */
export function fits(
  action: Remediation,
  { truth, fault }: Pick<Scenario, "truth" | "fault">,
): boolean {
  if (action === "correct_configuration" && settingOf(fault) !== undefined) return true;
  return truth.faults.some(
    ({ fault_class, remediation }) =>
      remediation.actions.includes(action) || FAULT_CLASSES[fault_class].remedies.includes(action),
  );
}
