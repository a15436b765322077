/**
 * A connection within one process: two ends, what is written to one comes out of the other, as from
 * a socket. For a program that has its node inside.
 *
 * Bytes are copied, since a writer uses its buffers again and a reader keeps what it read; they
 * arrive in a later turn of the event loop, so that neither side meets its own calls.
 *
 * Limit: one chunk is under way each way; the next is taken when the reader has room.
 */

import { Duplex } from 'node:stream';

type Callback = (error?: Error | null) => void;

/** Makes both ends of a connection. */
export function createMemoryPair(): readonly [Duplex, Duplex] {
  const one = new MemoryEnd();
  const other = new MemoryEnd();
  one.peer = other;
  other.peer = one;
  return [one, other];
}

class MemoryEnd extends Duplex {
  peer: MemoryEnd = this;
  /** Tells the peer that its chunk was read. */
  #onRead: Callback | undefined = undefined;

  constructor() {
    super({ allowHalfOpen: false, emitClose: true });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    const copy = Buffer.from(chunk);
    setImmediate(() => {
      if (this.peer.destroyed) return callback(new Error('the other end is closed'));
      this.peer.#onRead = callback;
      this.peer.push(copy);
    });
  }

  override _read(): void {
    const callback = this.#onRead;
    this.#onRead = undefined;
    callback?.();
  }

  override _final(callback: Callback): void {
    setImmediate(() => this.#hangUp());
    callback();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    setImmediate(() => this.#hangUp());
    callback(error);
  }

  /** The peer reads to its end, once. */
  #hangUp(): void {
    const { peer } = this;
    if (!peer.destroyed && !peer.readableEnded) peer.push(null);
  }
}
