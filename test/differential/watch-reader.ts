/** What a stream of etcd's Watch says of its one watch, message by message. */

import { eventsOf, type Json, numberOf, refusalOf, revisionOf } from './etcd-json.ts';
import { EventLog } from './event-log.ts';
import type { Refusal, Watching } from './side.ts';
import type { WatchStep } from './steps.ts';

/** gRPC's InvalidArgument: the watch's refusals come without a code. */
const INVALID_ARGUMENT = 3;
/** gRPC's OutOfRange, etcd's class of a compacted revision. */
const OUT_OF_RANGE = 11;

/** Reads the messages of a stream, as JSON has them. */
export class WatchReader {
  /** Resolves when the server has accepted the watch, or refused it. */
  readonly opening: Promise<Watching | Refusal>;
  readonly #opened = Promise.withResolvers<Watching | Refusal>();
  readonly #step: WatchStep;
  readonly #close: () => void;
  readonly #log = new EventLog();

  /** @param close ends the stream */
  constructor(step: WatchStep, close: () => void) {
    this.opening = this.#opened.promise;
    this.#step = step;
    this.#close = close;
  }

  /** The stream has ended. */
  closed(): void {
    this.#opened.reject(new Error('the server closed the watch'));
  }

  /** Takes the next message. */
  read(message: Json): void {
    if (message.canceled === true && message.created === true) {
      this.#opened.resolve(refusalOf(message.cancel_reason, INVALID_ARGUMENT));
      this.#close();
    } else if (message.created === true) {
      const from = this.#step.startRevision ?? revisionOf(message) + 1;
      const until = (revision: number) => this.#log.until(revision);
      this.#opened.resolve({ from, until, close: this.#close });
    } else if (message.canceled === true) {
      const compactRevision = numberOf(message.compact_revision);
      this.#log.end({ code: OUT_OF_RANGE, compactRevision });
    } else {
      this.#log.add(eventsOf(message));
    }
  }
}
