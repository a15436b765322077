/** Events by their moment, and by their order within one: a binary heap. */

import type { EventKind, HostEvent, Process } from './host.ts';

/** The events to come. */
export class EventQueue {
  readonly #heap: HostEvent[] = [];
  #order = 0;

  add(atMs: number, process: Process | undefined, kind: EventKind, run: () => void): HostEvent {
    const event = { atMs, order: 0, process, kind, run, isCancelled: false };
    this.addAgain(event, atMs);
    return event;
  }

  /** Adds an event that was taken before. */
  addAgain(event: HostEvent, atMs: number): void {
    this.#order += 1;
    event.atMs = atMs;
    event.order = this.#order;
    const heap = this.#heap;
    let slot = heap.length;
    heap.push(event);
    while (slot > 0) {
      const above = (slot - 1) >>> 1;
      if (!isBefore(event, heap[above]!)) break;
      heap[slot] = heap[above]!;
      slot = above;
    }
    heap[slot] = event;
  }

  /** Takes the next one. */
  take(): HostEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || first === last) return first;
    let slot = 0;
    for (;;) {
      let below = 2 * slot + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below += 1;
      if (!isBefore(heap[below]!, last)) break;
      heap[slot] = heap[below]!;
      slot = below;
    }
    heap[slot] = last;
    return first;
  }
}

function isBefore(one: HostEvent, other: HostEvent): boolean {
  return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs;
}
