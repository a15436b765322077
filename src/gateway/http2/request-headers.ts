/** Whether headers make a request: what names it comes first, once each (RFC 9113 8.2, 8.3). */

import type { Header } from './hpack.ts';

const PSEUDO_HEADERS = [':method', ':path', ':scheme', ':authority'];
const NEEDED = [':method', ':path', ':scheme'];

/** Of one connection only: HTTP/2 has other ways. */
const FORBIDDEN = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'];

/** Lists that were judged: most requests of a connection have the very same one. */
const judged: WeakMap<readonly Header[], boolean> = new WeakMap();

/** Judges a list of headers. */
export function areRequestHeaders(headers: readonly Header[]): boolean {
  const known = judged.get(headers);
  if (known !== undefined) return known;
  const verdict = judge(headers);
  judged.set(headers, verdict);
  return verdict;
}

function judge(headers: readonly Header[]): boolean {
  const found = new Set<string>();
  let isRegular = false;
  for (const [name, value] of headers) {
    if (name.startsWith(':')) {
      if (isRegular || found.has(name) || !PSEUDO_HEADERS.includes(name)) return false;
      found.add(name);
    } else {
      isRegular = true;
      if (name === '' || /[A-Z\s]/.test(name) || FORBIDDEN.includes(name)) return false;
      if (name === 'te' && value !== 'trailers') return false;
    }
  }
  return NEEDED.every((name) => found.has(name));
}
