/**
 * One request and its answer on an HTTP/2 connection.
 *
 *   open --onEnd--> half closed --respond, write, endWith--> ended
 *     '--------------------- reset, by either side ------------^
 *
 * What may not be sent yet, since the peer's windows are used up or the socket is full, waits here
 * in order. Invariant: the end waits behind all bytes.
 */

import { Ring } from '../../ring.ts';
import type { Header } from './hpack.ts';

/** What a stream is told. */
export type StreamListener = {
  /** Bytes of the request's body. @param chunk a view of what the socket gave */
  readonly onData: (chunk: Buffer) => void;
  /** The request is whole. */
  readonly onEnd: () => void;
  /** The stream has ended before its answer was whole: reset, or the connection is gone. */
  readonly onClosed: () => void;
  /** What waited to be sent has left. */
  readonly onDrain: () => void;
};

/** What a stream needs of its connection. */
export type StreamOwner = {
  readonly sendHeaders: (stream: Http2Stream, block: Buffer, isEnd: boolean) => void;
  /** Sends as much as may be sent now; returns how many bytes that was. */
  readonly sendData: (stream: Http2Stream, bytes: Buffer) => number;
  readonly sendEnd: (stream: Http2Stream) => void;
  readonly sendReset: (stream: Http2Stream, code: number) => void;
  /** Nothing more is sent on it. */
  readonly onEnded: (stream: Http2Stream) => void;
};

/** A stream. */
export class Http2Stream {
  readonly id: number;
  readonly headers: readonly Header[];
  listener: StreamListener | undefined = undefined;
  /** Bytes that the peer takes; negative when it made its window smaller. */
  sendWindow: number;
  /** Bytes that the peer may send before it is told more. */
  receiveWindow: number;
  /** The peer has sent all. */
  isRemoteEnded = false;
  /** This side has sent all, or the stream is gone. */
  isEnded = false;
  /** Bytes that wait to be sent. */
  queuedBytes = 0;

  readonly #owner: StreamOwner;
  readonly #waiting: Ring<Buffer> = new Ring();
  /** Bytes of the first one that were sent. */
  #sentBytes = 0;
  /** The end waits as well: a header block, or nothing behind the bytes. */
  #end: Buffer | true | undefined = undefined;

  constructor(
    owner: StreamOwner,
    id: number,
    headers: readonly Header[],
    sendWindow: number,
    receiveWindow: number,
  ) {
    this.#owner = owner;
    this.id = id;
    this.headers = headers;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
  }

  /** Sends the header block of the answer; it may be all of it. */
  respond(block: Buffer, isEnd = false): void {
    if (this.isEnded) return;
    this.#owner.sendHeaders(this, block, isEnd);
    if (isEnd) this.#finish();
  }

  /** Sends bytes of the answer. @param bytes kept until they are sent: they may not change */
  write(bytes: Buffer): void {
    if (this.isEnded || bytes.length === 0) return;
    const sent = this.queuedBytes > 0 ? 0 : this.#owner.sendData(this, bytes);
    if (sent === bytes.length) return;
    this.#waiting.push(sent === 0 ? bytes : bytes.subarray(sent));
    this.queuedBytes += bytes.length - sent;
  }

  /** Ends the answer, behind all bytes, with a header block if one is given. */
  end(trailer: Buffer | true = true): void {
    if (this.isEnded || this.#end !== undefined) return;
    this.#end = trailer;
    if (this.queuedBytes === 0) this.#sendEnd(trailer);
  }

  /** Gives the stream up. */
  reset(code: number): void {
    if (this.isEnded) return;
    this.#owner.sendReset(this, code);
    this.isRemoteEnded = true;
    this.#finish();
  }

  /** The stream is gone: nothing can be sent. */
  abandon(): void {
    if (this.isEnded) return;
    this.#finish();
    this.listener?.onClosed();
  }

  /** Sends what waits, as far as it may be sent now. */
  resume(): void {
    if (this.isEnded || this.queuedBytes === 0) return;
    for (let next = this.#waiting.peek(); next !== undefined; next = this.#waiting.peek()) {
      const rest = this.#sentBytes === 0 ? next : next.subarray(this.#sentBytes);
      const sent = this.#owner.sendData(this, rest);
      this.queuedBytes -= sent;
      if (sent < rest.length) {
        this.#sentBytes += sent;
        return;
      }
      this.#sentBytes = 0;
      this.#waiting.shift();
    }
    if (this.#end !== undefined) this.#sendEnd(this.#end);
    else this.listener?.onDrain();
  }

  #sendEnd(trailer: Buffer | true): void {
    if (trailer === true) this.#owner.sendEnd(this);
    else this.#owner.sendHeaders(this, trailer, true);
    this.#finish();
  }

  #finish(): void {
    this.isEnded = true;
    this.queuedBytes = 0;
    this.#waiting.clear();
    this.#owner.onEnded(this);
  }
}
