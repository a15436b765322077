/**
 * Buffers that frames are written into, reused once the socket is done with them.
 *
 * A connection holds segments only while it has something to say, so idle connections cost none.
 * Two sizes: a small one for the usual turn (a few replies), large ones for what does not fit.
 *
 * Invariant: a segment is in the pool, or owned by exactly one writer or socket.
 */

import { assert } from '../assert.ts';

/** A buffer being filled; `view` covers the same memory. */
export type Segment = {
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Bytes filled, set when the segment is sealed. */
  usedBytes: number;
};

/** Bytes of the first segment of a turn: a hundred replies to puts. */
export const SEGMENT_SMALL_BYTES = 8 * 1024;

/**
 * Bytes of every further segment: large enough that a MiB is a handful of vectors of one writev.
 */
export const SEGMENT_LARGE_BYTES = 64 * 1024;

/** Free small segments kept: 8 MiB, a write in flight on a thousand connections at once. */
const FREE_SMALL_MAX = 1_024;

/** Free large segments kept: 8 MiB. */
const FREE_LARGE_MAX = 128;

/** Segments to be reused. One a thread, shared by all its connections. */
export class SegmentPool {
  readonly #small: Segment[] = [];
  readonly #large: Segment[] = [];

  /** Takes a segment of SEGMENT_SMALL_BYTES. */
  takeSmall(): Segment {
    return this.#small.pop() ?? createSegment(SEGMENT_SMALL_BYTES);
  }

  /** Takes a segment of SEGMENT_LARGE_BYTES. */
  takeLarge(): Segment {
    return this.#large.pop() ?? createSegment(SEGMENT_LARGE_BYTES);
  }

  /** Gives a segment back: nobody else may still read it, the kernel included. */
  give(segment: Segment): void {
    segment.usedBytes = 0;
    if (segment.bytes.length === SEGMENT_SMALL_BYTES) {
      if (this.#small.length < FREE_SMALL_MAX) this.#small.push(segment);
      return;
    }
    assert(segment.bytes.length === SEGMENT_LARGE_BYTES, 'the segment is one of ours');
    if (this.#large.length < FREE_LARGE_MAX) this.#large.push(segment);
  }
}

function createSegment(sizeBytes: number): Segment {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes, view, usedBytes: 0 };
}
