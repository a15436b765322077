/**
 * Finds JSON objects one behind the other in a stream of bytes, as a streaming request of the JSON
 * gateway has them: by their braces, outside of strings.
 *
 * Limit: the bytes of an object that is not whole (the request's body limit).
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const SPACES: readonly number[] = [0x20, 0x09, 0x0a, 0x0d];

/** The objects of one request. */
export class JsonSplitter {
  #kept: Buffer = Buffer.alloc(0);
  /** How far `#kept` was looked at. */
  #position = 0;
  #depth = 0;
  #isText = false;
  #isEscaped = false;

  /** Bytes of an object that is not whole. */
  get keptBytes(): number {
    return this.#kept.length;
  }

  /** Takes the next bytes; returns the texts that are whole: objects, or what cannot be one. */
  push(chunk: Buffer): string[] {
    const bytes = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    const texts: string[] = [];
    let start = 0;
    let at = this.#position;
    for (; at < bytes.length; at += 1) {
      if (!this.#endsAt(bytes[at]!)) continue;
      texts.push(bytes.toString('utf8', start, at + 1));
      start = at + 1;
    }
    this.#kept = bytes.subarray(start);
    this.#position = this.#kept.length;
    if (this.#depth === 0) this.#dropSpaces();
    return texts;
  }

  /** What is left at the end of the request, if it is more than spaces. */
  rest(): string | undefined {
    return this.#kept.length === 0 ? undefined : this.#kept.toString('utf8');
  }

  #endsAt(byte: number): boolean {
    if (this.#isText) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === BACKSLASH) this.#isEscaped = true;
      else if (byte === QUOTE) this.#isText = false;
      return false;
    }
    if (byte === QUOTE) this.#isText = true;
    else if (byte === OPEN) this.#depth += 1;
    else if (byte === CLOSE) {
      this.#depth -= 1;
      return this.#depth <= 0;
    }
    return false;
  }

  #dropSpaces(): void {
    let start = 0;
    while (start < this.#kept.length && SPACES.includes(this.#kept[start]!)) start += 1;
    this.#kept = this.#kept.subarray(start);
    this.#position = this.#kept.length;
  }
}
