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
import { Tally } from './tally.ts';
import { Trace } from './trace.ts';
import { Violation } from './violation.ts';

/** The longest a run may go on, in events: more than ten times what one takes. */
const EVENTS_MAX = 5_000_000;

/** Events in one turn of the real event loop, which costs as much as one of them. */
const EVENTS_A_TURN = 100;

/** Time, and what happens in it. */
export class World {
  readonly trace: Trace;
  readonly tally: Tally = new Tally();
  readonly hosts: Host[] = [];
  readonly #queue = new EventQueue();
  #nowMs = 0;
  #count = 0;
  #hasEnded = false;
  /** Whom the last event befell. */
  #unsettled: Process | undefined;
  #failure: { readonly cause: unknown } | undefined;

  /** @param linesMax lines of each host that a failure shows */
  constructor(linesMax: number) {
    this.trace = new Trace(() => this.#nowMs, linesMax);
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

  /**
   * Starts a process on a host.
   *
   * @param onSettled called behind each of its events, with all that followed from it
   */
  spawn(host: Host, onSettled: () => void = () => {}): Process {
    return { host, onSettled, isDead: false, isFrozen: false, parked: [] };
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
      while (!this.#isOver) await this.#runSome();
    } finally {
      process.off('uncaughtException', onStray);
      process.off('unhandledRejection', onStray);
    }
    if (this.#failure !== undefined) throw this.#failure.cause;
  }

  get #isOver(): boolean {
    return this.#hasEnded || this.#failure !== undefined;
  }

  /** Runs so many events in one turn of the real event loop. */
  #runSome(): Promise<void> {
    return new Promise((resolve) => {
      // Between two immediates run all promises and ticks that follow from the first.
      for (let count = 0; count < EVENTS_A_TURN; count += 1) setImmediate(this.#runOne);
      setImmediate(resolve);
    });
  }

  readonly #runOne = (): void => {
    try {
      this.#settle();
      if (this.#isOver) return;
      const event = this.#takeDue();
      if (event === undefined) this.end();
      else this.#carryOut(event);
    } catch (cause) {
      this.fail(cause);
    }
  };

  /** Looks at whom the last event befell, now that all that followed from it is done. */
  #settle(): void {
    const process = this.#unsettled;
    this.#unsettled = undefined;
    if (process?.isDead === false) process.onSettled();
  }

  #takeDue(): HostEvent | undefined {
    for (;;) {
      const event = this.#queue.take();
      if (event === undefined) return undefined;
      const { process, isCancelled } = event;
      if (isCancelled || process?.isDead === true) continue;
      if (process?.isFrozen !== true) return event;
      process.parked.push(event);
    }
  }

  #carryOut({ process, kind, atMs, run }: HostEvent): void {
    this.#nowMs = atMs;
    this.#count += 1;
    if (this.#count > EVENTS_MAX) throw new Violation('a run ends', `${this.#count} events`);
    this.trace.mix(process?.host.number ?? 0, kind, atMs);
    this.#unsettled = process;
    run();
  }
}
