/**
 * A snapshot of one node's state, on a connection of its own, so that bulk delays nothing else.
 *
 * While `take` has not settled nothing more is read, which slows the node down. The node is pinged:
 * one that is silent for PEER_SILENCE_MAX_MS is given up.
 */

import { crc32 } from 'node:zlib';
import type { SavedSnapshot, SnapshotOptions } from '../../include/client.ts';
import { NO_NODE } from '../../include/node.ts';
import {
  ConnectionRole,
  ErrorCode,
  FrameType,
  KvorumError,
  PEER_SILENCE_MAX_MS,
  PROTOCOL_VERSION,
  type SnapshotSaveReply,
} from '../../include/rpc.ts';
import type { Clock } from '../clock.ts';
import type { Connection } from '../rpc/connection.ts';
import { decodeError, writePing } from '../rpc/connection-codec.ts';
import { CONNECTION_TICK_MS, NODE_LIMITS } from '../rpc/connection-limits.ts';
import { dial, type OpenStream } from '../rpc/dial.ts';
import { FlushQueue } from '../rpc/flush-queue.ts';
import { decodeReply } from '../rpc/reply-codec.ts';
import { writeRequest } from '../rpc/request-codec.ts';
import type { Endpoint } from './endpoint.ts';
import { SnapshotFileWriter } from './snapshot-file.ts';

const LIMITS = { ...NODE_LIMITS, silenceTicksMax: PEER_SILENCE_MAX_MS / CONNECTION_TICK_MS };

/** The id of the only request on the connection. */
const REQUEST_ID = 1;

/** Where a snapshot comes from, and by what way. */
export type DownloadOptions = {
  readonly endpoint: Endpoint;
  readonly dialTimeoutMs: number;
  readonly clock: Clock;
  readonly openStream: OpenStream;
};

/** Takes a piece of the file. */
type Take = (piece: Buffer) => Promise<void> | void;

/**
 * Downloads a snapshot: `take` is given the file.
 *
 * @throws KvorumError (as rejection) Unreachable, ConnectionLost, DeadlineExceeded, the node's own
 * refusal; what `take` threw and the reason of the signal are passed on
 */
export async function downloadSnapshot(
  options: DownloadOptions,
  take: Take,
  { signal, timeoutMs }: SnapshotOptions,
): Promise<SavedSnapshot> {
  signal?.throwIfAborted();
  const { clock } = options;
  const download = new Download(options, take);
  const abort = (): void => download.fail(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const timer = timeoutMs === undefined ? undefined : clock.after(timeoutMs, () => download.late());
  const ticker = clock.every(CONNECTION_TICK_MS, () => download.tick());
  try {
    return await download.saved;
  } finally {
    ticker.cancel();
    timer?.cancel();
    signal?.removeEventListener('abort', abort);
    download.connection.close();
  }
}

/** One download. */
class Download {
  readonly connection: Connection;
  readonly saved: Promise<SavedSnapshot>;
  readonly #take: Take;
  readonly #file = new SnapshotFileWriter();
  readonly #resolve: (saved: SavedSnapshot) => void;
  /** Ends it; the first reason stands. */
  readonly fail: (reason: unknown) => void;
  #isReady = false;
  /** Pieces given that were not taken yet, and the last of them. */
  #pendingCount = 0;
  #taken: Promise<void> = Promise.resolve();
  #streamBytes = 0;
  #checksum = 0;

  constructor({ endpoint, dialTimeoutMs, clock, openStream }: DownloadOptions, take: Take) {
    const { promise, resolve, reject } = Promise.withResolvers<SavedSnapshot>();
    this.saved = promise;
    this.#resolve = resolve;
    this.fail = reject;
    this.#take = take;
    const hello = {
      version: PROTOCOL_VERSION,
      role: ConnectionRole.Client,
      clusterId: 0n,
      nodeId: NO_NODE,
      targetId: NO_NODE,
    };
    const { host: address, port } = endpoint;
    const flushQueue = new FlushQueue(clock);
    this.connection = dial(
      {
        ...{ address, port, hello, clock, flushQueue, openStream },
        ...{ limits: LIMITS, timeoutMs: dialTimeoutMs },
      },
      { onReady: (connection) => this.#begin(connection), onFailed: (_, error) => reject(error) },
    );
  }

  /** Counts one tick. */
  tick(): void {
    if (!this.#isReady) return;
    writePing(this.connection.writer, 0);
    this.connection.tick();
  }

  /** Its time is over. */
  late(): void {
    const why = `${this.connection.remote} did not send its snapshot in time`;
    this.fail(new KvorumError(ErrorCode.DeadlineExceeded, why));
  }

  #begin(connection: Connection): void {
    this.#isReady = true;
    connection.onFrame = (_connection, type, id, buffer, start, end) => {
      if (id !== REQUEST_ID) return; // a PONG
      if (type === FrameType.SnapshotChunk) this.#chunk(buffer.subarray(start, end));
      else if (type === FrameType.Error) this.fail(decodeError(buffer, start, end));
      else if (type === FrameType.Reply) {
        this.#end(decodeReply(FrameType.SnapshotSave, buffer, start, end).body);
      }
    };
    connection.onClose = (_connection, _reason, error) => {
      const why = `${connection.remote} closed the connection in the midst of the snapshot`;
      this.fail(error ?? new KvorumError(ErrorCode.ConnectionLost, why));
    };
    writeRequest(connection.writer, REQUEST_ID, { type: FrameType.SnapshotSave });
    this.#give(this.#file.begin(connection.hello?.clusterId ?? 0n));
  }

  #chunk(bytes: Buffer): void {
    this.#streamBytes += bytes.length;
    this.#checksum = crc32(bytes, this.#checksum);
    this.#give(this.#file.chunk(bytes));
  }

  #end(reply: SnapshotSaveReply): void {
    if (reply.bytes !== this.#streamBytes || reply.crc32 !== this.#checksum) {
      const why = `${this.connection.remote}: the snapshot did not arrive as it was sent`;
      return this.fail(new KvorumError(ErrorCode.SnapshotFailed, why));
    }
    const { clusterId, nodeId, revision } = reply;
    this.#give(this.#file.end(), () => {
      this.#resolve({ clusterId, nodeId, revision, sizeBytes: this.#file.sizeBytes });
    });
  }

  /** Hands a piece on; nothing is read until it was taken. */
  #give(piece: Buffer, then?: () => void): void {
    this.#pendingCount += 1;
    this.connection.pause();
    const earlier = this.#taken;
    this.#taken = earlier
      .then(() => this.#take(piece))
      .then(() => {
        this.#pendingCount -= 1;
        if (this.#pendingCount === 0) this.connection.resume();
        then?.();
      });
    this.#taken.catch(this.fail);
  }
}
