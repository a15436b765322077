/**
 * The Appends on the way to one follower: a ring bounded by count and by bytes. When it is full
 * the follower gets no more until it answers, so that a slow one cannot fill the leader's memory.
 *
 *   slots:  [ . . c d e f . . ]      head points at c, count is 4
 *
 * Invariants: indexes ascend from head; sizeBytes is the sum of the sizes between.
 * Limits: inflightMessagesMax, inflightBytesMax. One Append may exceed the bytes: fullness is
 * judged before an Append is added.
 */

import type { LogIndex } from '../../../include/node.ts';
import { assert } from '../../assert.ts';

/** The Appends on the way to one follower. */
export type Inflights = {
  readonly countMax: number;
  readonly bytesMax: number;
  /** The last index of each Append. */
  readonly indexes: Float64Array;
  /** The bytes of each Append's entries. */
  readonly sizes: Float64Array;
  head: number;
  count: number;
  sizeBytes: number;
};

/** Makes an empty window. */
export function createInflights(countMax: number, bytesMax: number): Inflights {
  assert(countMax > 0, 'a window holds at least one Append', countMax);
  assert(bytesMax > 0, 'a window holds at least one byte', bytesMax);
  return {
    countMax,
    bytesMax,
    indexes: new Float64Array(countMax),
    sizes: new Float64Array(countMax),
    head: 0,
    count: 0,
    sizeBytes: 0,
  };
}

/** Whether nothing more may be sent. */
export function isFull(inflights: Inflights): boolean {
  return inflights.count === inflights.countMax || inflights.sizeBytes >= inflights.bytesMax;
}

/** Notes an Append whose last entry is at `index`. */
export function addInflight(inflights: Inflights, index: LogIndex, sizeBytes: number): void {
  assert(!isFull(inflights), 'an Append is sent into a full window', inflights.count);
  const { countMax, indexes, sizes, head, count } = inflights;
  const newest = indexes[(head + count - 1) % countMax];
  assert(count === 0 || index > newest!, 'Appends on the way ascend', index, newest);
  const slot = (head + count) % countMax;
  indexes[slot] = index;
  sizes[slot] = sizeBytes;
  inflights.count += 1;
  inflights.sizeBytes += sizeBytes;
}

/** Frees the Appends that an acknowledgement of everything up to `index` covers. */
export function freeInflights(inflights: Inflights, index: LogIndex): void {
  const { countMax, indexes, sizes } = inflights;
  while (inflights.count > 0 && indexes[inflights.head]! <= index) {
    inflights.sizeBytes -= sizes[inflights.head]!;
    inflights.head = (inflights.head + 1) % countMax;
    inflights.count -= 1;
  }
}

/** Forgets all: they are taken for lost. */
export function clearInflights(inflights: Inflights): void {
  inflights.head = 0;
  inflights.count = 0;
  inflights.sizeBytes = 0;
}

/** Asserts the invariants above. */
export function checkInflights(inflights: Inflights): void {
  const { countMax, indexes, sizes, head, count } = inflights;
  assert(count >= 0, 'a window counts from 0', count);
  assert(count <= countMax, 'a window keeps its count', count, countMax);
  let total = 0;
  for (let i = 0; i < count; i += 1) {
    const slot = (head + i) % countMax;
    const before = indexes[(head + i - 1) % countMax];
    assert(i === 0 || indexes[slot]! > before!, 'Appends on the way ascend', i, before);
    total += sizes[slot]!;
  }
  assert(total === inflights.sizeBytes, 'a window knows its bytes', total, inflights.sizeBytes);
}
