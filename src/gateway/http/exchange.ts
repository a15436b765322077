/**
 * A request over HTTP and its answer, whichever version carries it: what the JSON gateway and the
 * pages for operators are written against.
 */

/** What an exchange is told. */
export type ExchangeListener = {
  readonly onBody: (chunk: Buffer) => void;
  /** The request is whole. */
  readonly onEnd: () => void;
  /** The client is gone before the answer was whole. */
  readonly onClosed: () => void;
  /** What waited to be sent has left. */
  readonly onDrain: () => void;
};

/** Headers of an answer, names in lower case. */
export type HttpHeaders = Readonly<Record<string, string>>;

/** A request and its answer. */
export type Exchange = {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** A header of the request by its name in lower case. */
  readonly header: (name: string) => string | undefined;
  /** Bytes of the answer that wait to be sent. */
  readonly queuedBytes: number;
  listener: ExchangeListener | undefined;
  /** Begins the answer. */
  readonly respond: (status: number, headers: HttpHeaders) => void;
  readonly write: (text: string) => void;
  readonly end: () => void;
};

/** Where browsers from elsewhere may ask, as etcd says it. */
export const CORS_HEADERS: HttpHeaders = {
  'access-control-allow-headers': 'accept, content-type, authorization',
  'access-control-allow-methods': 'POST, GET, OPTIONS, PUT, DELETE',
  'access-control-allow-origin': '*',
};

/** Answers with all there is to say. */
export function answerWith(
  exchange: Exchange,
  status: number,
  headers: HttpHeaders,
  text: string,
): void {
  const length = { 'content-length': String(Buffer.byteLength(text)) };
  exchange.respond(status, { ...CORS_HEADERS, ...headers, ...length });
  if (text !== '') exchange.write(text);
  exchange.end();
}

/** Answers with a plain text. */
export function answerText(
  exchange: Exchange,
  status: number,
  text: string,
  more: HttpHeaders = {},
): void {
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
  };
  answerWith(exchange, status, { ...headers, ...more }, text);
}

/** Cuts a request's target into path and query. */
export function splitTarget(target: string): { path: string; query: URLSearchParams } {
  const at = target.indexOf('?');
  if (at < 0) return { path: target, query: new URLSearchParams() };
  return { path: target.slice(0, at), query: new URLSearchParams(target.slice(at + 1)) };
}
