/**
 * What waits for the log's sync: the messages that rest on it, and the core that must hear of it.
 *
 * Invariant: tickets ascend, so a sync releases a prefix; messages leave in the order they were
 * made.
 */

import type { Message, Ready } from '../../include/node.ts';
import { Ring } from '../ring.ts';

type Waiting = {
  readonly ticket: number;
  /** The core's number of the write; 0 when the core does not wait for it. */
  readonly writeNumber: number;
  readonly messages: readonly Message[];
};

/** The writes of a member that are not synced yet. */
export class DurableWrites {
  readonly #waiting = new Ring<Waiting>();
  readonly #send: (message: Message) => void;

  /** @param send called for each message once what it rests on is durable */
  constructor(send: (message: Message) => void) {
    this.#send = send;
  }

  /** How many Readys wait for a sync. */
  get count(): number {
    return this.#waiting.count;
  }

  /**
   * Takes the part of a Ready that rests on the log. @param ticket the log's newest ticket that
   * syncs
   */
  add(ready: Ready, ticket: number): void {
    const messages = ready.messagesAfterSync;
    if (ready.writeNumber === 0 && this.#waiting.count === 0) {
      for (const message of messages) this.#send(message);
    } else if (ready.writeNumber > 0 || messages.length > 0) {
      this.#waiting.push({ ticket, writeNumber: ready.writeNumber, messages });
    }
  }

  /**
   * Releases what rests on tickets up to `ticket`; returns the newest write number among them, or
   * 0.
   */
  release(ticket: number): number {
    let writeNumber = 0;
    for (;;) {
      const oldest = this.#waiting.peek();
      if (oldest === undefined || oldest.ticket > ticket) return writeNumber;
      this.#waiting.shift();
      for (const message of oldest.messages) this.#send(message);
      if (oldest.writeNumber > 0) writeNumber = oldest.writeNumber;
    }
  }
}
