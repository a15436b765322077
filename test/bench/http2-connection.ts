/**
 * What a client owes HTTP/2 besides requests: settings and pings acknowledged, windows refilled and
 * kept to. Frames about a stream are handed on.
 *
 * Invariant: what is sent fits the server's window of the connection, else `spend` throws. Windows
 * of streams are not counted: a stream carries one small request, or few that are small at a time.
 */

import {
  H2_HEADER_BYTES,
  H2_WINDOW_INITIAL,
  H2Flag,
  H2Type,
  h2Frame,
  h2WindowUpdate,
} from './http2-frames.ts';

/** Bytes received after which windows are refilled. */
const REFILL_BYTES = 1 << 29;

/** Told of each stream's frames. The bytes are borrowed. */
export type H2Handlers = {
  readonly data: (stream: number, bytes: Buffer, start: number, end: number) => void;
  readonly headers: (
    stream: number,
    isLast: boolean,
    bytes: Buffer,
    start: number,
    end: number,
  ) => void;
  readonly reset: (stream: number, code: number) => void;
};

/** One connection, from the client's side. */
export class H2Connection {
  readonly #handlers: H2Handlers;
  /** A stream that lives as long as the connection; 0 for none. */
  readonly #longStream: number;
  #sendWindow = H2_WINDOW_INITIAL;
  #receivedBytes = 0;
  #owed: Buffer[] = [];

  constructor(handlers: H2Handlers, longStream = 0) {
    this.#handlers = handlers;
    this.#longStream = longStream;
  }

  /** Counts payload of DATA that is sent. @throws Error when there is no room for it */
  spend(sizeBytes: number): void {
    this.#sendWindow -= sizeBytes;
    if (this.#sendWindow < 0) throw new Error('the server did not open its window in time');
  }

  /** Reads the whole frames at the start of `bytes`; returns how many bytes they are. */
  read(bytes: Buffer): number {
    let at = 0;
    while (bytes.length - at >= H2_HEADER_BYTES) {
      const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
      const end = at + H2_HEADER_BYTES + length;
      if (end > bytes.length) break;
      this.#readFrame(bytes, at, end);
      at = end;
    }
    if (this.#receivedBytes >= REFILL_BYTES) this.#refill();
    return at;
  }

  /** What must be sent, taken once; undefined for nothing. */
  takeOwed(): Buffer | undefined {
    if (this.#owed.length === 0) return undefined;
    const all = Buffer.concat(this.#owed);
    this.#owed = [];
    return all;
  }

  #refill(): void {
    this.#owed.push(h2WindowUpdate(0, this.#receivedBytes));
    if (this.#longStream !== 0) {
      this.#owed.push(h2WindowUpdate(this.#longStream, this.#receivedBytes));
    }
    this.#receivedBytes = 0;
  }

  #readFrame(bytes: Buffer, at: number, end: number): void {
    const start = at + H2_HEADER_BYTES;
    const flags = bytes[at + 4]!;
    const stream = bytes.readUInt32BE(at + 5);
    switch (bytes[at + 3]) {
      case H2Type.Data:
        this.#receivedBytes += end - start;
        this.#handlers.data(stream, bytes, start, end);
        return;
      case H2Type.Headers:
        this.#handlers.headers(stream, (flags & H2Flag.EndStream) !== 0, bytes, start, end);
        return;
      case H2Type.RstStream:
        this.#handlers.reset(stream, bytes.readUInt32BE(start));
        return;
      case H2Type.Settings:
        if ((flags & H2Flag.Ack) === 0) this.#owe(H2Type.Settings, Buffer.alloc(0));
        return;
      case H2Type.Ping:
        if ((flags & H2Flag.Ack) === 0) {
          this.#owe(H2Type.Ping, Buffer.from(bytes.subarray(start, end)));
        }
        return;
      case H2Type.WindowUpdate:
        if (stream === 0) this.#sendWindow += bytes.readUInt32BE(start);
        return;
      case H2Type.GoAway:
        throw new Error(`etcd closed the connection: ${bytes.toString('latin1', start + 8, end)}`);
    }
  }

  /** An acknowledgement. */
  #owe(type: number, payload: Buffer): void {
    this.#owed.push(h2Frame(type, H2Flag.Ack, 0, payload));
  }
}
