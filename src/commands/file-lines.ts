/** The lines of a stream, one after the other, each of bounded length. */

import type { Readable } from 'node:stream';

const LINE_FEED = 0x0a;

/**
 * Cuts a stream into lines, without their line feeds; the last one need not have any.
 *
 * @throws Error for a line that is too long, with its number
 */
export async function* readFileLines(
  stream: Readable,
  lineBytesMax: number,
): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let sizeBytes = 0;
  let lineNumber = 1;
  const add = (part: Buffer): void => {
    sizeBytes += part.length;
    if (sizeBytes > lineBytesMax) {
      throw new Error(`line ${lineNumber}: expected at most ${lineBytesMax} bytes`);
    }
    parts.push(part);
  };
  const take = (): string => {
    const line = Buffer.concat(parts).toString();
    parts = [];
    sizeBytes = 0;
    lineNumber += 1;
    return line;
  };
  for await (const data of stream) {
    const chunk: Buffer = Buffer.from(data);
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      add(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    add(chunk.subarray(start));
  }
  if (sizeBytes > 0) yield take();
}
