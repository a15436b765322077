/**
 * gRPC's stream of messages both ways, for which a connection is used alone: watches and renewals
 * of leases. It is stream 1, and lives as long as the connection.
 *
 * Invariant: what is sent and not yet read by the server stays far below a stream's window.
 */

import { inEnvelope } from './etcd-messages.ts';
import { H2Connection } from './http2-connection.ts';
import { grpcHeaderBlocks, H2Flag, H2Type, h2Frame, h2Opening } from './http2-frames.ts';

const STREAM = 1;
const GRPC_ENVELOPE_BYTES = 5;

/** Told of each message. The bytes are borrowed. */
export type OnMessage = (bytes: Buffer, start: number, end: number) => void;

/** The client's side of a stream. */
export class EtcdStream {
  /** What the connection starts with. */
  readonly opening: Buffer;
  readonly #connection: H2Connection;
  /** The start of a message that goes on in the next frame. */
  #rest: Buffer | undefined;
  #onMessage: OnMessage = () => undefined;

  constructor(method: string, authority: string) {
    const { first } = grpcHeaderBlocks(method, authority);
    const headers = h2Frame(H2Type.Headers, H2Flag.EndHeaders, STREAM, first);
    this.opening = Buffer.concat([h2Opening(), headers]);
    this.#connection = new H2Connection(
      {
        data: (_stream, bytes, start, end) => this.#onData(bytes, start, end),
        headers: (_stream, isLast, bytes, start, end) => {
          if (isLast) throw new Error(`etcd ended it: ${bytes.toString('latin1', start, end)}`);
        },
        reset: (_stream, code) => {
          throw new Error(`etcd reset it, code ${code}`);
        },
      },
      STREAM,
    );
  }

  /** Counts a frame that is sent. */
  spend(frame: Buffer): void {
    this.#connection.spend(frame.length);
  }

  /** Reads the whole frames at the start of `bytes`; returns how many bytes they are. */
  read(bytes: Buffer, onMessage: OnMessage): number {
    this.#onMessage = onMessage;
    return this.#connection.read(bytes);
  }

  /** What must be sent, taken once; undefined for nothing. */
  takeOwed(): Buffer | undefined {
    return this.#connection.takeOwed();
  }

  #onData(bytes: Buffer, start: number, end: number): void {
    if (this.#rest !== undefined) {
      const joined = Buffer.concat([this.#rest, bytes.subarray(start, end)]);
      this.#rest = undefined;
      this.#onData(joined, 0, joined.length);
      return;
    }
    let at = start;
    while (end - at >= GRPC_ENVELOPE_BYTES) {
      const messageEnd = at + GRPC_ENVELOPE_BYTES + bytes.readUInt32BE(at + 1);
      if (messageEnd > end) break;
      this.#onMessage(bytes, at + GRPC_ENVELOPE_BYTES, messageEnd);
      at = messageEnd;
    }
    if (at < end) this.#rest = Buffer.from(bytes.subarray(at, end));
  }
}

/** The frame of one message of a stream. */
export function messageFrame(message: Buffer): Buffer {
  return h2Frame(H2Type.Data, 0, STREAM, inEnvelope(message));
}
