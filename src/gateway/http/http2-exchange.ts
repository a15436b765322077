/** A request over HTTP/2 that is no gRPC. */

import { writeHeaderBlock } from '../http2/hpack.ts';
import type { Http2Stream, StreamListener } from '../http2/stream.ts';
import { type Exchange, type ExchangeListener, type HttpHeaders, splitTarget } from './exchange.ts';

/** A request over HTTP/2. */
export class Http2Exchange implements Exchange, StreamListener {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  listener: ExchangeListener | undefined = undefined;
  readonly #stream: Http2Stream;
  #hasResponded = false;

  constructor(stream: Http2Stream) {
    this.#stream = stream;
    const { path, query } = splitTarget(this.header(':path') ?? '/');
    this.method = this.header(':method') ?? 'GET';
    this.path = path;
    this.query = query;
  }

  get queuedBytes(): number {
    return this.#stream.queuedBytes;
  }

  header(name: string): string | undefined {
    for (const [each, value] of this.#stream.headers) if (each === name) return value;
    return undefined;
  }

  respond(status: number, headers: HttpHeaders): void {
    if (this.#hasResponded) return;
    this.#hasResponded = true;
    this.#stream.respond(
      writeHeaderBlock([[':status', String(status)], ...Object.entries(headers)]),
    );
  }

  write(text: string): void {
    this.#stream.write(Buffer.from(text));
  }

  end(): void {
    this.#stream.end();
  }

  onData(chunk: Buffer): void {
    this.listener?.onBody(chunk);
  }

  onEnd(): void {
    this.listener?.onEnd();
  }

  onClosed(): void {
    this.listener?.onClosed();
  }

  onDrain(): void {
    this.listener?.onDrain();
  }
}
