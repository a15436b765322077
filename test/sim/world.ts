/**
 * Virtual time: a queue of events, run one by one, each with all the promises that follow from it.
 *
 * Every event belongs to a process, or to the world itself. One of a process that died meanwhile is
 * dropped, one of a frozen process waits until it thaws. So whatever a process does, it does only
 * while it lives.
 *
 * Nothing here looks at a real clock or draws real chance: events of the same moment run in the
 * order in which they were made, so a run repeats to the byte. The hash over all that happened says
 * whether it did.
 */

import type { Timer } from '../../src/clock.ts';
import { EventQueue } from './event-queue.ts';
import type { EventKind, Host, HostEvent, Process } from './host.ts';
import { Trace } from './trace.ts';
import { Violation } from './violation.ts';

/** The longest a run may go on, in events: more than ten times what one takes. */
const EVENTS_MAX = 5_000_000;

/** Time, and what happens in it. */
export class World {
  readonly trace: Trace;
  readonly hosts: Host[] = [];
  /** Called behind each event of a process, with all that followed from it. */
  onSettled: (process: Process) => void = () => {};
  readonly #queue = new EventQueue();
  #nowMs = 0;
  #count = 0;
  #hasEnded = false;
  #failure: { readonly cause: unknown } | undefined;

  constructor() {
    this.trace = new Trace(() => this.#nowMs);
  }

  /** Virtual milliseconds since the world began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events that were run. */
  get eventCount(): number {
    return this.#count;
  }

  createHost(name: string): Host {
    const host = { name, number: this.hosts.length + 1, isOn: true };
    this.hosts.push(host);
    return host;
  }

  /** Starts a process on a host. */
  spawn(host: Host): Process {
    return { host, isDead: false, isFrozen: false, parked: [] };
  }

  /** A process ends: nothing that it has begun goes on. */
  kill(process: Process): void {
    process.isDead = true;
    process.parked = [];
  }

  freeze(process: Process): void {
    process.isFrozen = true;
  }

  /** What came meanwhile happens now, in its order. */
  thaw(process: Process): void {
    process.isFrozen = false;
    const { parked } = process;
    process.parked = [];
    for (const event of parked) this.#queue.addAgain(event, this.#nowMs);
  }

  /**
   * Lets something happen later.
   *
   * @param process whom it happens to; undefined for the world itself
   */
  after(process: Process | undefined, delayMs: number, kind: EventKind, run: () => void): Timer {
    const event = this.#queue.add(this.#nowMs + Math.max(0, delayMs), process, kind, run);
    return {
      cancel: () => {
        event.isCancelled = true;
      },
    };
  }

  /** As `after`, for who awaits it. Never resolves when the process dies before. */
  pause(process: Process | undefined, delayMs: number, kind: EventKind): Promise<void> {
    return new Promise((resolve) => {
      this.after(process, delayMs, kind, resolve);
    });
  }

  /** Ends the run as failed; the first cause stands. */
  fail(cause: unknown): void {
    this.#failure ??= { cause };
  }

  /** Ends the run. */
  end(): void {
    this.#hasEnded = true;
  }

  /**
   * Runs until `end`, or until nothing is left to happen.
   *
   * @throws what the run failed with
   */
  async run(): Promise<void> {
    // What goes wrong in a promise or a tick of its own reaches nobody's catch.
    const onStray = (cause: unknown): void => this.fail(cause);
    process.on('uncaughtException', onStray);
    process.on('unhandledRejection', onStray);
    try {
      while (!this.#hasEnded && this.#failure === undefined) {
        const event = this.#queue.take();
        if (event === undefined) break;
        if (this.#isDue(event)) await this.#runOne(event);
      }
    } finally {
      process.off('uncaughtException', onStray);
      process.off('unhandledRejection', onStray);
    }
    if (this.#failure !== undefined) throw this.#failure.cause;
  }

  #isDue({ process, isCancelled }: HostEvent): boolean {
    if (isCancelled) return false;
    return process === undefined || !process.isDead;
  }

  async #runOne(event: HostEvent): Promise<void> {
    const { process, kind, atMs } = event;
    this.#nowMs = atMs;
    if (process?.isFrozen) {
      process.parked.push(event);
      return;
    }
    this.#count += 1;
    if (this.#count > EVENTS_MAX) throw new Violation('a run ends', `${this.#count} events`);
    this.trace.mix(process?.host.number ?? 0, kind, atMs);
    try {
      event.run();
      // Behind this turn of the real event loop are all promises and ticks that followed.
      await new Promise(setImmediate);
      if (process !== undefined && !process.isDead) this.onSettled(process);
    } catch (cause) {
      this.fail(cause);
    }
  }
}
