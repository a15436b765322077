/**
 * Cuts a line of a txn script or of `watch -i` into words, as etcdctl does: blanks between words,
 * `"..."` with Go's escapes, `'...'` verbatim, anything else up to the next blank.
 */

import { goUnquote } from '../client/terminal/go-unquote.ts';
import { bytesToText } from './byte-text.ts';

/** The words of a line, or, in words, what was expected in it. */
export type LineWords = { readonly words: readonly string[] } | { readonly expected: string };

/**
 * Cuts a line into words.
 *
 * @returns words that carry bytes (byte-text.ts)
 */
export function cutLineWords(line: string): LineWords {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    at += /^\s*/.exec(line.slice(at))?.[0].length ?? 0;
    if (at >= line.length) return { words };

    const first = line[at];
    if (first === '"') {
      const quoted = goUnquote(line, at);
      if (typeof quoted === 'string') return { expected: quoted };
      words.push(bytesToText(quoted.bytes));
      at = quoted.end;
    } else if (first === "'") {
      const end = line.indexOf("'", at + 1);
      if (end < 0) return { expected: 'a closing single quote' };
      words.push(line.slice(at + 1, end));
      at = end + 1;
    } else {
      const bare = /^\S+/.exec(line.slice(at))?.[0] ?? '';
      words.push(bare);
      at += bare.length;
      continue;
    }
    if (at < line.length && !/\s/.test(line[at] ?? '')) {
      return { expected: `a blank behind the closing quote, not ${line.slice(at, at + 8)}` };
    }
  }
}
