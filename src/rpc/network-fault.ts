/** The system's error codes of sockets, in words that say what to do. */

const WORDS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused: is a node running there?'],
  ['ECONNRESET', 'connection reset by the other side'],
  ['EPIPE', 'connection closed by the other side'],
  ['ETIMEDOUT', 'no answer from that host: is it up, and does a firewall let this port through?'],
  ['EHOSTUNREACH', 'no route to that host'],
  ['ENETUNREACH', 'no route to that network'],
  ['ENOTFOUND', 'no such host name: check the spelling'],
  ['EAI_AGAIN', 'the name server does not answer'],
  ['EADDRINUSE', 'the port is in use: stop the process that has it, or give the node another port'],
  ['EADDRNOTAVAIL', 'no such address on this machine: check the line of the node in nodes.conf'],
  ['EACCES', 'not allowed: ports below 1024 need privileges'],
  ['EMFILE', 'no free file descriptor: raise the limit (ulimit -n)'],
]);

/** The system's code of an error (`ECONNREFUSED`); undefined when it has none. */
export function systemCode(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('code' in cause)) return undefined;
  return String(cause.code);
}

/**
 * What went wrong with a socket, in words.
 *
 * @param otherwise said when there is no error at all
 */
export function networkFault(cause: unknown, otherwise: string): string {
  if (cause === undefined || cause === null) return otherwise;
  const code = systemCode(cause);
  if (code !== undefined) return WORDS.get(code) ?? code;
  return cause instanceof Error ? cause.message : String(cause);
}
