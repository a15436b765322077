/** Requests for watches with their defaults, and a sink that writes down what it is told. */

import {
  EventKind,
  NO_RANGE_END,
  type WatchBatch,
  type WatchEvent,
  type WatchRequest,
  type WatchSink,
} from '../../include/kvstore.ts';
import { showError, showPair } from './store-requests.ts';

/** A watch of a key, or of the range up to `end`. */
export function watchOf(key: string, end = '', more: Partial<WatchRequest> = {}): WatchRequest {
  return {
    key: Buffer.from(key, 'latin1'),
    rangeEnd: end === '' ? NO_RANGE_END : Buffer.from(end, 'latin1'),
    startRevision: 0,
    prevKv: false,
    noPut: false,
    noDelete: false,
    progressNotify: false,
    ...more,
  };
}

/** An event as text: what happened, and what was there before. */
export function showEvent({ kind, kv, prevKv }: WatchEvent): string {
  const prev = prevKv === undefined ? '' : ` was ${showPair(prevKv)}`;
  if (kind === EventKind.Put) return `put ${showPair(kv)}${prev}`;
  return `delete ${kv.key.toString('latin1')} ${kv.modRevision}${prev}`;
}

/** A client as the hub sees it. */
export class Listener {
  /** What it was told, a line a word: `1: put a=1 2/2/1`. */
  lines: string[] = [];
  batches: WatchBatch[] = [];
  readonly #batchesOf = new Map<number, WatchBatch[]>();
  isFull = false;
  /** Fills up with the next batch. */
  isFullAfterNext = false;

  readonly sink: WatchSink = {
    isFull: () => this.isFull,
    events: (watchId, batch) => {
      this.batches.push(batch);
      const own = this.#batchesOf.get(watchId);
      if (own === undefined) this.#batchesOf.set(watchId, [batch]);
      else own.push(batch);
      for (const event of batch.events) this.lines.push(`${watchId}: ${showEvent(event)}`);
      if (this.isFullAfterNext) this.isFull = true;
    },
    progress: (watchId, revision) => this.lines.push(`${watchId}: progress ${revision}`),
    cancelled: (watchId, code, compactRevision) =>
      this.lines.push(`${watchId}: ${showError(code)} ${compactRevision}`),
  };

  /** All batches of one watch. */
  batchesOf(watchId: number): readonly WatchBatch[] {
    return this.#batchesOf.get(watchId) ?? [];
  }

  /** What it was told since the last time. */
  take(): string[] {
    const { lines } = this;
    this.lines = [];
    this.batches = [];
    return lines;
  }
}
