/**
 * A watch as its user sees it: one flow of whole revisions, whatever happens to connections and
 * nodes underneath.
 *
 *   asking --accepted--> live --connection lost, node in trouble--> asking
 *     ^                    '--too much waits to be taken--> held --taken--> asking
 *     '-------------------------------------------------------------------'
 *
 * Invariant: `#next` is the first revision of which not everything was received. A watch is asked
 * for from there, so nothing is missed; parts of a revision that is not whole are dropped when the
 * connection ends, so nothing comes twice. Each asking has a number of its own: what a node still
 * says about an earlier one finds no listener.
 */

import {
  WATCH_BUFFER_BYTES,
  WatchError,
  type WatchEvents,
  type Watcher,
} from '../../include/client.ts';
import type { WatchBatch, WatchEvent, WatchRequest } from '../../include/kvstore.ts';
import {
  ErrorCode,
  FrameType,
  KvorumError,
  REQUEST_TIMEOUT_MS,
  Retry,
  type WatchCancellation,
} from '../../include/rpc.ts';
import { Ring } from '../ring.ts';
import { CallState } from './call.ts';
import type { Endpoint } from './endpoint.ts';
import type { Link, LinkCall, WatchListener } from './link.ts';
import type { Router } from './router.ts';

/** What an event costs in memory besides its bytes. */
const EVENT_BYTES = 256;

/** Waiting bytes below which a watch that was held goes on. */
const RESUME_BYTES = WATCH_BUFFER_BYTES / 2;

type Waiting = { readonly batch: WatchEvents; readonly sizeBytes: number };

type Taker = {
  readonly resolve: (result: IteratorResult<WatchEvents, undefined>) => void;
  readonly reject: (error: KvorumError) => void;
};

/** Someone who wants to know how far the watch is. */
type ProgressAsker = {
  readonly resolve: (revision: number) => void;
  readonly reject: (error: KvorumError) => void;
  /** Under way at the node that the watch lives at. */
  call: LinkCall | undefined;
};

/** What a watch is made from. */
export type WatchTaskOptions = {
  readonly router: Router;
  /** What is watched; its start is where the first asking starts. */
  readonly request: WatchRequest;
  /** The one node to ask; undefined for any. */
  readonly only: Endpoint | undefined;
  /** Draws a number that no other watch of the client has. */
  readonly drawWatchId: () => number;
};

/** A watch of a client. */
export class WatchTask implements Watcher, WatchListener {
  readonly created: Promise<number>;

  readonly #options: WatchTaskOptions;
  #tellCreated: (revision: number) => void = () => {};
  #tellRefused: (error: KvorumError) => void = () => {};

  /** The first revision of which not everything was received; 0 until a node has said what is. */
  #next: number;
  /** Events of a revision that is not whole. */
  #parts: WatchEvent[] = [];

  #watchId = 0;
  /** The asking under way. */
  #call: LinkCall | undefined = undefined;
  /** Where the watch lives. */
  #link: Link | undefined = undefined;
  /** Times in a row that a node has given the watch up. */
  #failedCount = 0;

  readonly #waiting: Ring<Waiting> = new Ring();
  #waitingBytes = 0;
  readonly #takers: Ring<Taker> = new Ring();
  readonly #askers: Set<ProgressAsker> = new Set();

  #hasEnded = false;
  /** Why it has ended, until its user was told; undefined for its user's wish. */
  #error: KvorumError | undefined = undefined;

  constructor(options: WatchTaskOptions) {
    this.#options = options;
    this.#next = options.request.startRevision;
    this.created = new Promise((resolve, reject) => {
      this.#tellCreated = resolve;
      this.#tellRefused = reject;
    });
    this.created.catch(() => {}); // whoever iterates is told as well
    this.#ask();
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
      const asker: ProgressAsker = { resolve, reject, call: undefined };
      if (this.#hasEnded) {
        reject(this.#error ?? closedError());
        return;
      }
      this.#askers.add(asker);
      this.#askProgress(asker);
    });
  }

  async close(): Promise<void> {
    while (this.#waiting.shift() !== undefined);
    this.#error = undefined;
    await this.#end(undefined);
  }

  onEvents(batch: WatchBatch): void {
    for (const event of batch.events) this.#parts.push(event);
    if (batch.isFragment) return;
    const events = this.#parts;
    this.#parts = [];
    this.#failedCount = 0;
    const revision = events.at(-1)?.kv.modRevision ?? batch.revision;
    this.#yield({ revision, events });
  }

  onNote(revision: number): void {
    this.#failedCount = 0;
    this.#yield({ revision, events: [] });
  }

  onCancelled(link: Link, { code, compactRevision }: WatchCancellation): void {
    this.#detach();
    if (code === ErrorCode.Compacted) {
      void this.#end(new WatchError(compactRevision));
      return;
    }
    const error = new KvorumError(code);
    if (error.retry === Retry.Never) {
      void this.#end(error);
      return;
    }
    this.#options.router.leave(link, error.message);
    this.#failedCount += 1;
    this.#ask();
  }

  onLost(): void {
    this.#detach();
    this.#ask();
  }

  onStale(): void {
    if (this.#options.only !== undefined) return;
    void this.#cancel();
    this.#ask();
  }

  /** Asks for the watch, from the first revision that was not received. */
  #ask(): void {
    const { router, request, only, drawWatchId } = this.#options;
    this.#watchId = drawWatchId();
    const body = { ...request, watchId: this.#watchId, startRevision: this.#next };
    this.#call = router.start(
      { type: FrameType.WatchCreate, body },
      only,
      Number.POSITIVE_INFINITY,
      (reply, link) => this.#onAccepted(link, reply.body.revision),
      (error) => void this.#end(error),
      this.#failedCount,
    );
  }

  #onAccepted(link: Link, revision: number): void {
    this.#call = undefined;
    this.#link = link;
    if (this.#hasEnded) {
      void this.#cancel();
      return;
    }
    if (this.#next === 0) this.#next = revision + 1;
    this.#tellCreated(this.#next);
    link.listen(this.#watchId, this);
    for (const asker of this.#askers) this.#askProgress(asker);
  }

  #askProgress(asker: ProgressAsker): void {
    if (this.#link === undefined) return; // asked when the watch lives again
    asker.call = this.#options.router.start(
      { type: FrameType.WatchProgress },
      this.#link.endpoint,
      Number.POSITIVE_INFINITY,
      (reply) => this.#onProgress(asker, reply.body.revision),
      (error) => {
        this.#askers.delete(asker);
        asker.reject(error);
      },
    );
  }

  #onProgress(asker: ProgressAsker, revision: number): void {
    this.#askers.delete(asker);
    if (this.#options.request.progressNotify) this.#yield({ revision, events: [] });
    else this.#next = Math.max(this.#next, revision + 1);
    asker.resolve(revision);
  }

  /** Hands a batch to who waits for one, or keeps it; beyond the limit the node is told to stop. */
  #yield(batch: WatchEvents): void {
    this.#next = Math.max(this.#next, batch.revision + 1);
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      taker.resolve({ done: false, value: batch });
      return;
    }
    const sizeBytes = sizeOf(batch);
    this.#waiting.push({ batch, sizeBytes });
    this.#waitingBytes += sizeBytes;
    if (this.#waitingBytes > WATCH_BUFFER_BYTES && this.#link !== undefined) void this.#cancel();
  }

  #take(taker: Taker): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      this.#waitingBytes -= waiting.sizeBytes;
      taker.resolve({ done: false, value: waiting.batch });
      const isHeld = this.#link === undefined && this.#call === undefined && !this.#hasEnded;
      if (isHeld && this.#waitingBytes <= RESUME_BYTES) this.#ask();
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
    for (const asker of this.#askers) asker.reject(error ?? closedError());
    // One that is sent stays: when it is accepted, the node is told to stop.
    const call = this.#call;
    if (call !== undefined && call.state !== CallState.Sent) this.#options.router.cancel(call);
    for (let taker = this.#takers.shift(); taker !== undefined; taker = this.#takers.shift()) {
      this.#take(taker);
    }
    await this.#cancel();
    this.#askers.clear();
  }

  /** Tells the node to stop. Resolves when it has, or cannot be told. */
  #cancel(): Promise<void> {
    const link = this.#link;
    const watchId = this.#watchId;
    this.#detach();
    return new Promise((resolve) => {
      if (link === undefined || !link.isReady) {
        resolve();
        return;
      }
      const request = { type: FrameType.WatchCancel, body: { watchId } } as const;
      const told = (): void => resolve();
      this.#options.router.start(request, link.endpoint, REQUEST_TIMEOUT_MS, told, told);
    });
  }

  /** The watch lives nowhere now: what was not received whole will be asked for again. */
  #detach(): void {
    this.#link?.unlisten(this.#watchId);
    this.#link = undefined;
    this.#parts = [];
    for (const asker of this.#askers) {
      if (asker.call !== undefined) this.#options.router.cancel(asker.call);
      asker.call = undefined;
    }
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
