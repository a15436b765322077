/** What a watch was told, until what was waited for has come. */

import type { Answer } from './steps.ts';

/** Milliseconds without an event that is waited for after which it counts as lost. */
const LOST_MS = 60_000;

/** An event as plain data. */
export type Event = {
  readonly kind: 'put' | 'delete';
  readonly kv: { readonly modRevision: number };
};

/** Events of one watch, in the order they came. */
export class EventLog {
  readonly #events: Event[] = [];
  #end: Answer | undefined = undefined;
  /** A revision whose events did not all come together. */
  #tornRevision = 0;
  #wake: () => void = () => undefined;

  /** Takes what came together. */
  add(events: readonly Event[]): void {
    const last = this.#events.at(-1)?.kv.modRevision ?? 0;
    if (events[0]?.kv.modRevision === last) this.#tornRevision = last;
    this.#events.push(...events);
    this.#wake();
  }

  /** The watch ended by itself. */
  end(why: Answer): void {
    this.#end = why;
    this.#wake();
  }

  /** All events up to a revision, once one of that revision or a later one has come. */
  async until(revision: number): Promise<Answer> {
    const deadline = Promise.withResolvers<void>();
    const timer = setTimeout(deadline.resolve, LOST_MS);
    let isLost = false;
    while (!this.#isThere(revision) && !isLost) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      isLost = await Promise.race([woken.then(() => false), deadline.promise.then(() => true)]);
    }
    clearTimeout(timer);
    const events = this.#events.filter((event) => event.kv.modRevision <= revision);
    return {
      events,
      ...(this.#end === undefined ? {} : { end: this.#end }),
      ...(this.#tornRevision === 0 ? {} : { tornRevision: this.#tornRevision }),
      ...(isLost ? { lost: `nothing of revision ${revision} came` } : {}),
    };
  }

  #isThere(revision: number): boolean {
    const last = this.#events.at(-1)?.kv.modRevision ?? 0;
    return this.#end !== undefined || last >= revision;
  }
}
