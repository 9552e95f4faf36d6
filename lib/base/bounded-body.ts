/** Reads the body of a response from another program, with a limit on its size in memory. */
import { EnvironmentError } from "./errors.ts";

/** Default maximum size of a body: ten times the largest answer of the lab's own programs. */
export const MAX_BODY_BYTES = 32 * 2 ** 20;

/**
 * Returns the text. As soon as it is longer than `maxBytes`, stops reading and throws
 * EnvironmentError.
 */
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
