/**
 * Alarms by the time they ring: the earliest is found at once, one is added or taken out in
 * O(log n).
 *
 * A binary heap (Knuth, TAOCP 5.2.3) in which every alarm knows its slot. Invariant: no alarm rings
 * before the one in the slot above it; `slot` is NO_SLOT outside the heap.
 */

import { assert } from '../assert.ts';

/** Where an alarm is that is not in a heap. */
export const NO_SLOT = -1;

/** What a heap holds: extended by whoever sets it. */
export type Alarm = {
  /** When it rings, in monotonic milliseconds. Not to be changed while it is in a heap. */
  ringMs: number;
  /** The heap's own. */
  slot: number;
};

/** Alarms by the time they ring. */
export class AlarmHeap<T extends Alarm> {
  readonly #alarms: T[] = [];

  /** How many there are. */
  get count(): number {
    return this.#alarms.length;
  }

  /** The one that rings first; undefined when there is none. */
  peek(): T | undefined {
    return this.#alarms[0];
  }

  /** Adds an alarm that is in no heap. */
  add(alarm: T): void {
    assert(alarm.slot === NO_SLOT, 'an alarm is set once', alarm.slot);
    this.#alarms.push(alarm);
    this.#rise(alarm, this.#alarms.length - 1);
  }

  /** Takes an alarm out; does nothing when it is not in. */
  remove(alarm: T): void {
    const { slot } = alarm;
    if (slot === NO_SLOT) return;
    assert(this.#alarms[slot] === alarm, 'an alarm is where it says', slot);
    alarm.slot = NO_SLOT;
    const last = this.#alarms.pop()!;
    if (last === alarm) return;
    if (last.ringMs < alarm.ringMs) this.#rise(last, slot);
    else this.#sink(last, slot);
  }

  /** Takes all out. */
  clear(): void {
    for (const alarm of this.#alarms) alarm.slot = NO_SLOT;
    this.#alarms.length = 0;
  }

  /** Puts an alarm into a free slot, or above it. */
  #rise(alarm: T, from: number): void {
    let slot = from;
    while (slot > 0) {
      const above = (slot - 1) >> 1;
      const other = this.#alarms[above]!;
      if (other.ringMs <= alarm.ringMs) break;
      this.#place(other, slot);
      slot = above;
    }
    this.#place(alarm, slot);
  }

  /** Puts an alarm into a free slot, or below it. */
  #sink(alarm: T, from: number): void {
    const count = this.#alarms.length;
    let slot = from;
    for (;;) {
      let below = slot * 2 + 1;
      if (below >= count) break;
      const right = below + 1;
      if (right < count && this.#alarms[right]!.ringMs < this.#alarms[below]!.ringMs) below = right;
      const other = this.#alarms[below]!;
      if (other.ringMs >= alarm.ringMs) break;
      this.#place(other, slot);
      slot = below;
    }
    this.#place(alarm, slot);
  }

  #place(alarm: T, slot: number): void {
    this.#alarms[slot] = alarm;
    alarm.slot = slot;
  }
}
