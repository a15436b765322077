/**
 * Cuts a line into words as a shell does: blanks between words, quotes and backslashes within them.
 */

import { UsageError } from './command-error.ts';

/** The words of a line, and whether a blank behind them has ended the last one. */
export type Words = { readonly words: readonly string[]; readonly endsWithBlank: boolean };

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['"', '"'],
  ['\\', '\\'],
]);

/**
 * Cuts a line into words. `'...'` is verbatim, `"..."` knows `\n`, `\t`, `\r`, `\"` and `\\`, a
 * backslash outside quotes keeps the next character; `#` at the start of a word ends the line.
 *
 * @throws UsageError for a quote that is not closed
 */
export function cutWords(line: string): Words {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  while (at < line.length) {
    const character = line[at]!;
    at += 1;
    if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === '#' && word === undefined) {
      break;
    } else if (character === "'" || character === '"') {
      const end = closingQuote(line, at, character);
      const quoted = line.slice(at, end);
      word = (word ?? '') + (character === '"' ? resolveEscapes(quoted) : quoted);
      at = end + 1;
    } else if (character === '\\') {
      word = (word ?? '') + (line[at] ?? '\\');
      at += 1;
    } else {
      word = (word ?? '') + character;
    }
  }
  if (word !== undefined) words.push(word);
  return { words, endsWithBlank: word === undefined };
}

function closingQuote(line: string, from: number, quote: string): number {
  let at = from;
  while (at < line.length) {
    if (line[at] === quote) return at;
    if (line[at] === '\\' && quote === '"') at += 1;
    at += 1;
  }
  throw new UsageError(`the quote ${quote} is not closed`);
}

function resolveEscapes(text: string): string {
  return text.replace(/\\(.)/gs, (whole, character) => ESCAPES.get(character) ?? whole);
}
