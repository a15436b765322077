/**
 * Bytes carried as text where only text fits, such as the words of a command line. Bytes that are
 * not UTF-8 become lone surrogates, U+DC80 to U+DCFF, which no UTF-8 decodes to: so nothing is
 * lost and nothing is mistaken (Python's surrogateescape, PEP 383).
 */

import { isUtf8 } from 'node:buffer';

const SURROGATE_BASE = 0xdc00;

/** Carries bytes as text. */
export function bytesToText(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString();
  let text = '';
  for (const byte of bytes) {
    text += String.fromCharCode(byte < 0x80 ? byte : SURROGATE_BASE + byte);
  }
  return text;
}

/** The bytes that text carries; text of other origin is taken as UTF-8. */
export function textToBytes(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  const parts: Buffer[] = [];
  for (const character of text) {
    const byte = character.charCodeAt(0) - SURROGATE_BASE;
    const isCarried = character.length === 1 && byte >= 0x80 && byte <= 0xff;
    parts.push(isCarried ? Buffer.from([byte]) : Buffer.from(character));
  }
  return Buffer.concat(parts);
}
