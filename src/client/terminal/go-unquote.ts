/**
 * Reads what Go's %q writes: text in double quotes with escapes, into bytes.
 *
 * Source: strconv.Unquote of the Go library.
 */

/** A quoted string and where it ends. */
export type Unquoted = {
  readonly bytes: Buffer;
  /** Just past the closing quote. */
  readonly end: number;
};

const SHORT_ESCAPES: ReadonlyMap<string, number> = new Map([
  ['a', 0x07],
  ['b', 0x08],
  ['t', 0x09],
  ['n', 0x0a],
  ['v', 0x0b],
  ['f', 0x0c],
  ['r', 0x0d],
  ['"', 0x22],
  ['\\', 0x5c],
]);

/** Escapes by number: how the digits look, their base, whether it is a character or a byte. */
const NUMBERED = [
  { digits: /^x([0-9a-fA-F]{2})/, base: 16, most: 0xff, isCharacter: false },
  { digits: /^([0-7]{3})/, base: 8, most: 0xff, isCharacter: false },
  { digits: /^u([0-9a-fA-F]{4})/, base: 16, most: 0xffff, isCharacter: true },
  { digits: /^U([0-9a-fA-F]{8})/, base: 16, most: 0x10_ffff, isCharacter: true },
] as const;

/**
 * Reads the quoted string that starts at `start`.
 *
 * @param start where its opening double quote is
 * @returns its bytes; or, in words, what is wrong with it
 */
export function goUnquote(text: string, start: number): Unquoted | string {
  const parts: Buffer[] = [];
  let at = start + 1;
  for (;;) {
    const plain = /^[^"\\]*/.exec(text.slice(at))?.[0] ?? '';
    parts.push(Buffer.from(plain));
    at += plain.length;
    if (at >= text.length) return 'a closing double quote';
    if (text[at] === '"') return { bytes: Buffer.concat(parts), end: at + 1 };

    const escaped = readEscape(text.slice(at + 1, at + 10));
    if (escaped === undefined) {
      const found = text.slice(at, at + 2);
      return `an escape that Go knows, such as \\n, \\", \\\\ or \\xff, not ${found}`;
    }
    parts.push(escaped.bytes);
    at += 1 + escaped.length;
  }
}

/** What stands behind a backslash. */
function readEscape(rest: string): { bytes: Buffer; length: number } | undefined {
  const short = SHORT_ESCAPES.get(rest.charAt(0));
  if (short !== undefined) return { bytes: Buffer.from([short]), length: 1 };
  for (const { digits, base, most, isCharacter } of NUMBERED) {
    const [whole = '', number = ''] = digits.exec(rest) ?? [];
    if (whole === '') continue;
    const code = Number.parseInt(number, base);
    if (code > most || (isCharacter && code >= 0xd800 && code < 0xe000)) return undefined;
    const bytes = isCharacter ? Buffer.from(String.fromCodePoint(code)) : Buffer.from([code]);
    return { bytes, length: whole.length };
  }
  return undefined;
}
