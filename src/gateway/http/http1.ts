/** HTTP/1.1 of the gateway's port: node:http on sockets whose first bytes were read already. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Exchange, type ExchangeListener, type HttpHeaders, splitTarget } from './exchange.ts';

/** Milliseconds a connection without a request is kept. */
const IDLE_MS = 180_000;

/** An HTTP/1.1 server without a port of its own. */
export class Http1Server {
  readonly #server: Server;

  constructor(onExchange: (exchange: Exchange) => void) {
    this.#server = createServer((request, response) => {
      onExchange(new Http1Exchange(request, response));
    });
    this.#server.keepAliveTimeout = IDLE_MS;
    this.#server.requestTimeout = 0; // a watch's request may go on for days
  }

  /** Serves a socket. @param head what was read from it */
  accept(socket: Socket, head: Buffer): void {
    socket.pause();
    socket.unshift(head);
    this.#server.emit('connection', socket);
    socket.resume();
  }

  /** Closes connections without a request. */
  closeIdle(): void {
    this.#server.closeIdleConnections();
  }
}

/** A request over HTTP/1.1. */
class Http1Exchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  listener: ExchangeListener | undefined = undefined;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse) {
    const { path, query } = splitTarget(request.url ?? '/');
    this.method = request.method ?? 'GET';
    this.path = path;
    this.query = query;
    this.#request = request;
    this.#response = response;
    request.on('data', (chunk: Buffer) => this.listener?.onBody(chunk));
    request.on('end', () => this.listener?.onEnd());
    request.on('error', () => undefined); // 'close' follows
    response.on('error', () => undefined);
    response.on('drain', () => this.listener?.onDrain());
    response.on('close', () => {
      if (!response.writableFinished) this.listener?.onClosed();
    });
  }

  get queuedBytes(): number {
    return this.#response.writableLength;
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  respond(status: number, headers: HttpHeaders): void {
    if (!this.#response.headersSent) this.#response.writeHead(status, headers);
  }

  write(text: string): void {
    if (!this.#response.writableEnded) this.#response.write(text);
  }

  end(): void {
    this.#response.end();
  }
}
