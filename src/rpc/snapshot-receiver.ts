/**
 * Receives a snapshot stream: begin, chunks, end, in that order, one at a time. While a callback's
 * promise is pending nothing more is read, which slows the sender down.
 *
 * Invariant: after onBegin exactly one of onEnd (whole, checksum right) and onFailed is called.
 */

import { crc32 } from 'node:zlib';
import type { SnapshotMeta } from '../../include/node.ts';
import {
  CloseReason,
  ErrorCode,
  FrameType,
  KvorumError,
  type SnapshotTotals,
} from '../../include/rpc.ts';
import { malformed } from './body-reader.ts';
import type { Connection } from './connection.ts';
import { decodeSnapshotBegin, decodeSnapshotEnd, writeSnapshotReply } from './snapshot-codec.ts';

/**
 * Who takes a snapshot. A rejection or a KvorumError thrown refuses the stream; the sender is told.
 */
export type SnapshotReceiver = {
  readonly onBegin: (meta: SnapshotMeta) => void | Promise<void>;
  /** The chunk is the receiver's: nobody writes to it again. */
  readonly onChunk: (chunk: Buffer) => void | Promise<void>;
  /** All chunks came and are as they were sent. The sender is answered once this has settled. */
  readonly onEnd: (totals: SnapshotTotals) => void | Promise<void>;
  /**
   * The stream broke off or was refused; maybe while the promise of another callback is pending.
   */
  readonly onFailed: (error: KvorumError) => void;
};

/** Where a stream stands. */
const Stage = { Begin: 0, Chunks: 1, Ending: 2, Done: 3 } as const;
type Stage = (typeof Stage)[keyof typeof Stage];

/** Hands the frames of a connection (from Server's onSnapshot) to a receiver. */
export function receiveSnapshot(connection: Connection, receiver: SnapshotReceiver): void {
  const stream = new IncomingStream(connection, receiver);
  connection.onFrame = (_connection, type, id, buffer, start, end) =>
    stream.take(type, id, buffer, start, end);
  connection.onClose = (_connection, _reason, error) => stream.onClose(error);
}

class IncomingStream {
  readonly #connection: Connection;
  readonly #receiver: SnapshotReceiver;
  #stage: Stage = Stage.Begin;
  #bytes = 0;
  #checksum = 0;

  constructor(connection: Connection, receiver: SnapshotReceiver) {
    this.#connection = connection;
    this.#receiver = receiver;
  }

  take(type: number, id: number, buffer: Buffer, start: number, end: number): void {
    if (type === FrameType.SnapshotBegin && this.#stage === Stage.Begin) {
      const meta = decodeSnapshotBegin(buffer, start, end);
      this.#stage = Stage.Chunks;
      this.#run(() => this.#receiver.onBegin(meta));
    } else if (type === FrameType.SnapshotChunk && this.#stage === Stage.Chunks) {
      const chunk = buffer.subarray(start, end);
      this.#bytes += chunk.length;
      this.#checksum = crc32(chunk, this.#checksum);
      this.#run(() => this.#receiver.onChunk(chunk));
    } else if (type === FrameType.SnapshotEnd && this.#stage === Stage.Chunks) {
      const totals = decodeSnapshotEnd(buffer, start, end);
      this.#checkTotals(totals);
      this.#stage = Stage.Ending;
      this.#run(
        () => this.#receiver.onEnd(totals),
        () => this.#answer(id),
      );
    } else {
      const why = `frame type ${type} does not follow in a snapshot stream`;
      throw new KvorumError(ErrorCode.FrameUnknown, why);
    }
  }

  onClose(error: KvorumError | undefined): void {
    const isOpen = this.#stage === Stage.Chunks;
    this.#stage = Stage.Done;
    if (!isOpen) return;
    const why = `${this.#connection.remote} broke off the snapshot stream`;
    this.#receiver.onFailed(error ?? new KvorumError(ErrorCode.ConnectionLost, why));
  }

  #checkTotals(totals: SnapshotTotals): void {
    if (totals.bytes !== this.#bytes) {
      throw malformed('bytes', `${totals.bytes} announced, ${this.#bytes} came`);
    }
    if (totals.crc32 !== this.#checksum) {
      throw malformed('crc32', `${totals.crc32} announced, ${this.#checksum} came`);
    }
  }

  #answer(id: number): void {
    this.#stage = Stage.Done;
    writeSnapshotReply(this.#connection.writer, id);
  }

  /** Calls the receiver and goes on when it is ready for more; nothing is read until then. */
  #run(call: () => void | Promise<void>, then?: () => void): void {
    try {
      const pending = call();
      if (!(pending instanceof Promise)) {
        then?.();
        return;
      }
      this.#connection.pause();
      pending.then(
        () => {
          then?.();
          this.#connection.resume();
        },
        (cause: unknown) => this.#refuse(cause),
      );
    } catch (cause) {
      if (!(cause instanceof KvorumError)) throw cause;
      this.#refuse(cause);
    }
  }

  #refuse(cause: unknown): void {
    const why = cause instanceof Error ? cause.message : String(cause);
    const error = new KvorumError(ErrorCode.SnapshotFailed, why, { cause });
    this.#connection.refuse(error, CloseReason.Local);
  }
}
