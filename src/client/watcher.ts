/**
 * A watch as its user iterates it. What it is told waits here until it is taken; beyond
 * WATCH_BUFFER_BYTES the node is told to stop, and asked again when half of that has been taken.
 */

import { WATCH_BUFFER_BYTES, type WatchEvents, type Watcher } from '../../include/client.ts';
import { ErrorCode, KvorumError } from '../../include/rpc.ts';
import { Ring } from '../ring.ts';
import { WatchFlow, type WatchFlowOptions, type WatchSink } from './watch-flow.ts';

/** What an event costs in memory besides its bytes. */
const EVENT_BYTES = 256;

/** Waiting bytes below which a watch that was held goes on. */
const RESUME_BYTES = WATCH_BUFFER_BYTES / 2;

type Waiting = { readonly batch: WatchEvents; readonly sizeBytes: number };

type Taker = {
  readonly resolve: (result: IteratorResult<WatchEvents, undefined>) => void;
  readonly reject: (error: KvorumError) => void;
};

/** What a watch is made from. */
export type WatchTaskOptions = Omit<WatchFlowOptions, 'sink'>;

/** A watch of a client. */
export class WatchTask implements Watcher, WatchSink {
  readonly created: Promise<number>;

  readonly #flow: WatchFlow;
  readonly #tellsProgress: boolean;
  #tellCreated: (revision: number) => void = () => {};
  #tellRefused: (error: KvorumError) => void = () => {};

  readonly #waiting: Ring<Waiting> = new Ring();
  #waitingBytes = 0;
  readonly #takers: Ring<Taker> = new Ring();

  #hasEnded = false;
  /** Why it has ended, until its user was told; undefined for its user's wish. */
  #error: KvorumError | undefined = undefined;

  constructor(options: WatchTaskOptions) {
    this.#tellsProgress = options.request.progressNotify;
    this.created = new Promise((resolve, reject) => {
      this.#tellCreated = resolve;
      this.#tellRefused = reject;
    });
    this.created.catch(() => {}); // whoever iterates is told as well
    this.#flow = new WatchFlow({ ...options, sink: this });
    this.#flow.start();
  }

  [Symbol.asyncIterator](): AsyncIterator<WatchEvents, undefined> {
    return {
      next: () => new Promise((resolve, reject) => this.#take({ resolve, reject })),
      return: async () => {
        await this.close();
        return { done: true, value: undefined };
      },
    };
  }

  progress(): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#hasEnded) {
        reject(this.#error ?? closedError());
        return;
      }
      const told = (revision: number): void => {
        if (this.#tellsProgress) this.onBatch({ revision, events: [] });
        resolve(revision);
      };
      this.#flow.progress(told, reject);
    });
  }

  async close(): Promise<void> {
    while (this.#waiting.shift() !== undefined);
    this.#error = undefined;
    await this.#end(undefined);
  }

  onAccepted(next: number): void {
    this.#tellCreated(next);
  }

  /** Hands a batch to who waits for one, or keeps it; beyond the limit the node is told to stop. */
  onBatch(batch: WatchEvents): void {
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      taker.resolve({ done: false, value: batch });
      return;
    }
    const sizeBytes = sizeOf(batch);
    this.#waiting.push({ batch, sizeBytes });
    this.#waitingBytes += sizeBytes;
    if (this.#waitingBytes > WATCH_BUFFER_BYTES) this.#flow.hold();
  }

  onFailed(error: KvorumError): void {
    void this.#end(error);
  }

  #take(taker: Taker): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      this.#waitingBytes -= waiting.sizeBytes;
      taker.resolve({ done: false, value: waiting.batch });
      if (this.#waitingBytes <= RESUME_BYTES && !this.#hasEnded) this.#flow.resume();
    } else if (!this.#hasEnded) {
      this.#takers.push(taker);
    } else if (this.#error !== undefined) {
      taker.reject(this.#error);
      this.#error = undefined;
    } else {
      taker.resolve({ done: true, value: undefined });
    }
  }

  /** Ends the watch; what waits is still yielded. */
  async #end(error: KvorumError | undefined): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#error = error;
    this.#tellRefused(error ?? closedError());
    for (let taker = this.#takers.shift(); taker !== undefined; taker = this.#takers.shift()) {
      this.#take(taker);
    }
    await this.#flow.end(error ?? closedError());
  }
}

function closedError(): KvorumError {
  return new KvorumError(ErrorCode.Stopped, 'the watch is closed');
}

/** Bytes that a batch takes while it waits, about. */
function sizeOf(batch: WatchEvents): number {
  let sizeBytes = EVENT_BYTES;
  for (const { kv, prevKv } of batch.events) {
    sizeBytes += EVENT_BYTES + kv.key.length + kv.value.length;
    if (prevKv !== undefined) sizeBytes += prevKv.key.length + prevKv.value.length;
  }
  return sizeBytes;
}
