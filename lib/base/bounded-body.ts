/** Reads the body of a response that somebody else wrote, without taking more of it into memory than is allowed. */
import { EnvironmentError } from "./errors.ts";

/** The longest body that is read, unless the reader says otherwise: ten times the largest answer of the lab's own parts. */
export const MAX_BODY_BYTES = 32 * 2 ** 20;

/** Returns the text; throws EnvironmentError as soon as it is longer than `maxBytes`, and reads no further then. */
export async function boundedText(
  response: Response,
  maxBytes: number = MAX_BODY_BYTES,
): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.length;
    if (bytes > maxBytes) {
      await reader.cancel();
      throw new EnvironmentError(
        `Cannot read the answer of ${response.url}: it must have at most ${maxBytes} bytes, but has more`,
      );
    }
    text += decoder.decode(value, { stream: true });
  }
}
