/**
 * Streams a snapshot to a peer on a connection of its own, so that bulk never delays a heartbeat.
 *
 * Chunks are asked for as the peer takes them: at most SNAPSHOT_QUEUED_BYTES and one chunk wait.
 * A stream without progress for SNAPSHOT_SILENCE_MAX_MS is given up; the next one starts anew.
 * While only the answer is missing the peer is pinged: one whose machine was restarted resets the
 * connection, where silence would be waited out.
 */

import { crc32 } from 'node:zlib';
import type { NodeId, SnapshotMeta } from '../../include/node.ts';
import {
  CloseReason,
  ConnectionRole,
  ErrorCode,
  FRAME_LENGTH_MIN,
  FrameType,
  KvorumError,
  PEER_FRAME_LENGTH_MAX,
  PEER_SILENCE_MAX_MS,
  PROTOCOL_VERSION,
  SNAPSHOT_QUEUED_BYTES,
  SNAPSHOT_SILENCE_MAX_MS,
  type SnapshotTotals,
} from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import type { Clock } from '../clock.ts';
import type { Connection } from './connection.ts';
import { decodeError, writePing } from './connection-codec.ts';
import { CONNECTION_TICK_MS, SNAPSHOT_SENDER_LIMITS } from './connection-limits.ts';
import { dial, type OpenStream } from './dial.ts';
import type { FlushQueue } from './flush-queue.ts';
import { writeSnapshotBegin, writeSnapshotChunk, writeSnapshotEnd } from './snapshot-codec.ts';

/** Most bytes of one chunk. */
const CHUNK_BYTES_MAX = PEER_FRAME_LENGTH_MAX - FRAME_LENGTH_MIN;

/** The id of the only request on a snapshot connection. */
const STREAM_ID = 1;

/** What to send, and to whom. */
export type SnapshotSenderOptions = {
  readonly clusterId: bigint;
  /** This member. */
  readonly selfId: NodeId;
  readonly peerId: NodeId;
  /** Where the peer listens. */
  readonly address: string;
  readonly port: number;
  readonly clock: Clock;
  readonly flushQueue: FlushQueue;
  /** The way there; TCP when left out. */
  readonly openStream?: OpenStream;
  /** What this member speaks; PROTOCOL_VERSION when left out. */
  readonly protocolVersion?: number;
  readonly meta: SnapshotMeta;
  /**
   * Gives the next chunk (copied at once), undefined after the last. Called again once it settled.
   */
  readonly nextChunk: () => Buffer | undefined | Promise<Buffer | undefined>;
};

/**
 * Sends a snapshot and waits until the peer has taken it over.
 *
 * @param signal gives it up
 * @returns what was sent
 * @throws KvorumError (as rejection) Unreachable, ConnectionLost, SnapshotFailed, or the peer's own
 * refusal; what `nextChunk` threw is passed on. The connection is closed in any case.
 */
export async function sendSnapshot(
  options: SnapshotSenderOptions,
  signal?: AbortSignal,
): Promise<SnapshotTotals> {
  const stream = new OutgoingStream(options);
  const abort = (): void => stream.fail(new KvorumError(ErrorCode.SnapshotFailed, 'given up'));
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted === true) abort();
  const ticker = options.clock.every(CONNECTION_TICK_MS, () => stream.connection.tick());
  try {
    return await stream.run();
  } finally {
    ticker.cancel();
    signal?.removeEventListener('abort', abort);
    stream.connection.close();
  }
}

/** One stream. All waits end when the connection does. */
class OutgoingStream {
  readonly connection: Connection;
  readonly #options: SnapshotSenderOptions;
  #failure: KvorumError | undefined = undefined;
  #isReady = false;
  #isAnswered = false;
  /** Ends the wait under way. */
  #wakeUp: (() => void) | undefined = undefined;

  constructor(options: SnapshotSenderOptions) {
    this.#options = options;
    const { selfId, peerId, clusterId, address, port, clock, flushQueue, openStream } = options;
    const hello = {
      version: options.protocolVersion ?? PROTOCOL_VERSION,
      role: ConnectionRole.Snapshot,
      clusterId,
      nodeId: selfId,
      targetId: peerId,
    };
    const limits = SNAPSHOT_SENDER_LIMITS;
    const timeoutMs = PEER_SILENCE_MAX_MS;
    this.connection = dial(
      { address, port, hello, limits, timeoutMs, clock, flushQueue, openStream },
      { onReady: (connection) => this.#own(connection), onFailed: (_, error) => this.fail(error) },
    );
  }

  async run(): Promise<SnapshotTotals> {
    const { meta, nextChunk } = this.#options;
    await this.#until(() => this.#isReady);
    const { writer } = this.connection;
    writeSnapshotBegin(writer, STREAM_ID, meta);
    let bytes = 0;
    let checksum = 0;
    for (;;) {
      const chunk = await nextChunk();
      this.#check();
      if (chunk === undefined) break;
      assert(chunk.length <= CHUNK_BYTES_MAX, 'a chunk fits a frame', chunk.length);
      writeSnapshotChunk(writer, STREAM_ID, chunk);
      bytes += chunk.length;
      checksum = crc32(chunk, checksum);
      await this.#until(() => this.connection.queuedBytes < SNAPSHOT_QUEUED_BYTES);
    }
    const totals = { bytes, crc32: checksum };
    writeSnapshotEnd(writer, STREAM_ID, totals);
    await this.#answer();
    return totals;
  }

  /** Ends the stream with an error; the first one stands. */
  fail(error: KvorumError): void {
    this.#failure ??= error;
    this.#wakeUp?.();
  }

  #own(connection: Connection): void {
    connection.onFrame = (_connection, type, _id, buffer, start, end) => {
      if (type === FrameType.Error) {
        this.fail(decodeError(buffer, start, end));
      } else if (type === FrameType.Reply) {
        this.#isAnswered = true;
        this.#wakeUp?.();
      } else if (type !== FrameType.Pong) {
        throw new KvorumError(ErrorCode.FrameUnknown, `frame type ${type} answers no snapshot`);
      }
    };
    connection.onClose = (_connection, _reason, error) => {
      const why = `${connection.remote} closed the snapshot stream`;
      this.fail(error ?? new KvorumError(ErrorCode.ConnectionLost, why));
    };
    connection.onDrain = () => this.#wakeUp?.();
    this.#isReady = true;
    this.#wakeUp?.();
  }

  async #answer(): Promise<void> {
    const { clock } = this.#options;
    const timer = clock.after(SNAPSHOT_SILENCE_MAX_MS, () => {
      const why = `${this.connection.remote} did not answer within ${SNAPSHOT_SILENCE_MAX_MS} ms`;
      this.connection.close(CloseReason.Silence, new KvorumError(ErrorCode.SnapshotFailed, why));
    });
    const pinger = clock.every(CONNECTION_TICK_MS, () => writePing(this.connection.writer, 0));
    try {
      await this.#until(() => this.#isAnswered);
    } finally {
      timer.cancel();
      pinger.cancel();
    }
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      this.#check();
      await new Promise<void>((resolve) => {
        this.#wakeUp = resolve;
      });
    }
    if (!this.#isAnswered) this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
