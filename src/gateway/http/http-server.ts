/** Whom a request over HTTP is for: the JSON gateway, or a page for operators. */

import type { Clock } from '../../clock.ts';
import type { Budget } from '../calls/budget.ts';
import type { Methods } from '../calls/methods.ts';
import { answerText, answerWith, type Exchange } from './exchange.ts';
import { JsonCall } from './json-call.ts';
import type { Pages } from './pages.ts';

/** What serving needs. */
export type HttpServerOptions = {
  readonly methods: Methods;
  readonly pages: Pages;
  readonly budget: Budget;
  readonly clock: Pick<Clock, 'after'>;
};

/** What etcd's gateway was called before version 3.4; it still answers there. */
const BETA = /^\/v3beta\//;

/** Serves a request. */
export function serveHttp(options: HttpServerOptions, exchange: Exchange): void {
  const { method, path } = exchange;
  if (method === 'OPTIONS') {
    answerWith(exchange, 200, {}, '');
    return;
  }
  const page = options.pages.get(path);
  if (page !== undefined) {
    const isMeant = method === page.method || (method === 'HEAD' && page.method === 'GET');
    if (isMeant) page.answer(exchange);
    else answerText(exchange, 405, 'Method Not Allowed\n', { allow: page.method });
    return;
  }

  const entry = options.methods.findHttp(path.replace(BETA, '/v3/'));
  if (entry === undefined) answerText(exchange, 404, notFoundText(path));
  else if (method !== 'POST') answerText(exchange, 405, 'Method Not Allowed\n');
  else exchange.listener = new JsonCall(exchange, entry, options);
}

/** The words of who looked for it: the gateway of etcd, or Go's HTTP server around it. */
function notFoundText(path: string): string {
  return path.startsWith('/v3/') ? 'Not Found\n' : '404 page not found\n';
}
