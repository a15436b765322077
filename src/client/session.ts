/**
 * A session of this client: numbers its writes, and knows up to which number all are settled, so
 * that the nodes may forget their answers (include/session.ts).
 *
 *   1 ... acknowledged | settled, open, settled ... | next
 *         '---------- at most SESSION_ANSWERS_MAX --'
 *
 * A write is settled when its user has been told how it ended; also "nobody knows": a copy of it
 * that is still on its way is then refused with AnswerGiven, or takes effect as one that was given
 * up may.
 */

import { SESSION_ANSWERS_MAX, type SessionMark } from '../../include/kvstore.ts';
import { assert } from '../assert.ts';

/** A session of this client. */
export class Session {
  /** Its id in the cluster. */
  readonly id: number;
  /** It has expired, or takes no more numbers: the cluster said so. */
  isOver = false;

  #next = 1;
  #acknowledged = 0;
  /** Of each number behind the acknowledged one, at its place in the ring: 1 when it is settled. */
  readonly #settled: Uint8Array = new Uint8Array(SESSION_ANSWERS_MAX);

  constructor(id: number) {
    this.id = id;
  }

  /** Whether further numbers would be too far ahead of the oldest write that is open. */
  get isFull(): boolean {
    return this.#next - this.#acknowledged > SESSION_ANSWERS_MAX;
  }

  /** Numbers a write. */
  number(): SessionMark {
    assert(!this.isFull, 'a session that is full numbers no write', this.id);
    const sequence = this.#next;
    this.#next = sequence + 1;
    return { session: this.id, sequence, acknowledged: this.#acknowledged };
  }

  /** The write with this number has ended. */
  settle(sequence: number): void {
    const settled = this.#settled;
    settled[sequence % SESSION_ANSWERS_MAX] = 1;
    let slot = (this.#acknowledged + 1) % SESSION_ANSWERS_MAX;
    while (settled[slot] === 1) {
      settled[slot] = 0;
      this.#acknowledged += 1;
      slot = (slot + 1) % SESSION_ANSWERS_MAX;
    }
  }
}
