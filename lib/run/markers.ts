/** Posts markers to the console's charts, which only the lab's owner sees. */
import { systemClock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Lab } from "../lab/lab.ts";

export type MarkerKind = "fault" | "cleanup" | "investigation";

/** Posts a marker; returns the problem or undefined. A run continues without markers. */
export async function postMarker(
  lab: Lab,
  kind: MarkerKind,
  text: string,
): Promise<string | undefined> {
  const token = lab.ownerToken();
  if (token === undefined) return "the lab has no owner token";
  try {
    const response = await fetch(
      `http://localhost:${lab.ports.telemetry ?? lab.ports.console}/owner/markers`,
      {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ time: systemClock.nowMs(), kind, text }),
        signal: AbortSignal.timeout(2000),
      },
    );
    return response.ok ? undefined : `${response.status}: ${await response.text()}`;
  } catch (error) {
    return messageOf(error);
  }
}
