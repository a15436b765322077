/**
 * Byte strings as Go's %q and etcdctl's --hex show them: printable characters as they are, the rest
 * as escapes, so that any key can be read off a screen.
 *
 * Source: strconv.Quote of the Go library.
 */

const SHORT_ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x07, '\\a'],
  [0x08, '\\b'],
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0b, '\\v'],
  [0x0c, '\\f'],
  [0x0d, '\\r'],
  [0x22, '\\"'],
  [0x5c, '\\\\'],
]);

/** What Go calls printable: letters, marks, numbers, punctuation, symbols and the ASCII space. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/**
 * Quotes bytes as Go's %q does: double quotes, escapes for what cannot be printed, `\xNN` for each
 * byte that is not UTF-8.
 *
 * @param bytes borrowed
 */
export function goQuote(bytes: Buffer): string {
  let quoted = '"';
  let offset = 0;
  while (offset < bytes.length) {
    const size = characterSize(bytes, offset);
    if (size === 0) {
      quoted += hexEscape(bytes[offset]!);
      offset += 1;
      continue;
    }
    quoted += quoteCharacter(bytes.toString('utf8', offset, offset + size));
    offset += size;
  }
  return `${quoted}"`;
}

/** Every byte as `\xNN`: etcdctl --hex. */
export function hexString(bytes: Buffer): string {
  let text = '';
  for (const byte of bytes) text += hexEscape(byte);
  return text;
}

function hexEscape(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

function quoteCharacter(character: string): string {
  const code = character.codePointAt(0)!;
  const short = SHORT_ESCAPES.get(code);
  if (short !== undefined) return short;
  if (PRINTABLE.test(character)) return character;
  if (code < 0x80) return hexEscape(code);
  if (code < 0x1_0000) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}

/** Bytes of the UTF-8 character at `offset`; 0 when there is none (RFC 3629, section 4). */
function characterSize(bytes: Buffer, offset: number): number {
  const first = bytes[offset]!;
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;

  const size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (size === 0) return 0;
  if (offset + size > bytes.length) return 0;
  for (let i = 1; i < size; i += 1) {
    if ((bytes[offset + i]! & 0xc0) !== 0x80) return 0;
  }

  const second = bytes[offset + 1]!;
  if (first === 0xe0 && second < 0xa0) return 0; // longer than needed
  if (first === 0xed && second > 0x9f) return 0; // a surrogate
  if (first === 0xf0 && second < 0x90) return 0; // longer than needed
  if (first === 0xf4 && second > 0x8f) return 0; // beyond U+10FFFF
  return size;
}
