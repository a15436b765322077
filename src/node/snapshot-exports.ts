/**
 * The state of a member on its way out: to a peer that needs a snapshot, and to clients that make a
 * backup.
 *
 * A client's snapshot is throttled: while others are served it rests after each chunk for
 * REST_FACTOR times as long as reading it took, so that the node serves on nearly as before. It
 * waits while the client has SNAPSHOT_QUEUED_BYTES to read.
 */

import { crc32 } from 'node:zlib';
import {
  ErrorCode,
  KvorumError,
  SNAPSHOT_QUEUED_BYTES,
  SNAPSHOT_STREAMS_MAX,
  type SnapshotTotals,
} from '../../include/rpc.ts';
import type { Clock } from '../clock.ts';
import type { SnapshotReader, Store } from '../kvstore/store.ts';
import type { Throttle } from './throttle.ts';

/** Milliseconds of rest for each that reading a chunk took, while others are served. */
const REST_FACTOR = 25;

/** Milliseconds until a client that has too much to read is looked at again. */
const FULL_PAUSE_MS = 5;

/** Where a client's snapshot goes. */
export type SnapshotSink = {
  readonly isClosed: () => boolean;
  /** Bytes that the client has not taken yet. */
  readonly queuedBytes: () => number;
  /** The bytes are copied at once. */
  readonly chunk: (chunk: Buffer) => void;
  /** All was sent. */
  readonly end: (totals: SnapshotTotals, revision: number) => void;
};

/** What exports are made with. */
export type SnapshotExportsOptions = {
  readonly store: Store;
  readonly clock: Clock;
  readonly throttle: Throttle;
  /** Whether the store may be used now. */
  readonly isOpen: () => boolean;
  readonly onFatal: (cause: unknown) => void;
};

/** The snapshots that a member reads out. */
export class SnapshotExports {
  readonly #options: SnapshotExportsOptions;
  #streamCount = 0;

  constructor(options: SnapshotExportsOptions) {
    this.#options = options;
  }

  /** Opens a view of the state. The store flushes first: a flush that fails is fatal here too. */
  async open(): Promise<SnapshotReader> {
    const { store, isOpen, onFatal } = this.#options;
    try {
      return await store.exportSnapshot();
    } catch (cause) {
      if (isOpen()) onFatal(cause);
      throw cause;
    }
  }

  /**
   * Streams the state to a client.
   *
   * @throws KvorumError (as rejection) TooManyRequests, and SnapshotFailed when the store was
   * replaced meanwhile
   */
  async stream(sink: SnapshotSink): Promise<void> {
    if (this.#streamCount >= SNAPSHOT_STREAMS_MAX) {
      const why = `kvorum: ${SNAPSHOT_STREAMS_MAX} snapshots are being sent: ask again later`;
      throw new KvorumError(ErrorCode.TooManyRequests, why);
    }
    this.#streamCount += 1;
    try {
      const reader = await this.open();
      try {
        await this.#send(reader, sink);
      } finally {
        reader.close();
      }
    } finally {
      this.#streamCount -= 1;
    }
  }

  async #send(reader: SnapshotReader, sink: SnapshotSink): Promise<void> {
    const { clock, throttle } = this.#options;
    let bytes = 0;
    let checksum = 0;
    while (!sink.isClosed()) {
      if (sink.queuedBytes() >= SNAPSHOT_QUEUED_BYTES) {
        await new Promise<void>((resolve) => void clock.after(FULL_PAUSE_MS, resolve));
        continue;
      }
      const startMs = clock.nowMs();
      const chunk = this.#next(reader);
      if (chunk === undefined) return sink.end({ bytes, crc32: checksum }, reader.revision);
      bytes += chunk.length;
      checksum = crc32(chunk, checksum);
      sink.chunk(chunk);
      const tookMs = clock.nowMs() - startMs;
      await new Promise<void>((resolve) => throttle.after(tookMs, REST_FACTOR, resolve));
    }
  }

  #next(reader: SnapshotReader): Buffer | undefined {
    if (!this.#options.isOpen()) {
      const why = 'kvorum: the state is being replaced, or the node stops: ask again';
      throw new KvorumError(ErrorCode.SnapshotFailed, why);
    }
    return reader.next();
  }
}
