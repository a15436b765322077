/**
 * A watch that outlives connections and nodes: whole revisions, in order, none missing, none twice.
 *
 *   asking --accepted--> live --connection lost, node in trouble--> asking
 *     ^                    '--hold()--> held --resume()--> asking
 *     '-------------------------------------------------------------'
 *
 * Invariant: `#next` is the first revision of which not everything was received. A watch is asked
 * for from there, so nothing is missed; parts of a revision that is not whole are dropped when the
 * connection ends, so nothing comes twice. Each asking has a number of its own: what a node still
 * says about an earlier one finds no listener.
 */

import { WatchError, type WatchEvents } from '../../include/client.ts';
import type { WatchBatch, WatchEvent, WatchRequest } from '../../include/kvstore.ts';
import {
  ErrorCode,
  FrameType,
  KvorumError,
  REQUEST_TIMEOUT_MS,
  type ReplyHeader,
  Retry,
  type WatchCancellation,
} from '../../include/rpc.ts';
import { CallState } from './call.ts';
import type { Endpoint } from './endpoint.ts';
import type { Link, LinkCall, WatchListener } from './link.ts';
import type { Router } from './router.ts';

/** Who is told what a watch sees. Nothing here may throw. */
export type WatchSink = {
  /**
   * A node has accepted the watch; again after each time that it was lost or held.
   * @param next the first revision that will be told of
   * @param head how its node is: the current revision, the term
   */
  readonly onAccepted: (next: number, head: ReplyHeader) => void;
  /** Events of whole revisions; none in a note of progress. */
  readonly onBatch: (batch: WatchEvents) => void;
  /** The watch has ended, by no wish of its user: WatchError, KvorumError. */
  readonly onFailed: (error: KvorumError) => void;
};

/** Someone who wants to know how far the watch is. */
type ProgressAsker = {
  readonly resolve: (revision: number) => void;
  readonly reject: (error: KvorumError) => void;
  /** Under way at the node that the watch lives at. */
  call: LinkCall | undefined;
};

/** What a watch is made from. */
export type WatchFlowOptions = {
  readonly router: Router;
  /** What is watched; its start is where the first asking starts. */
  readonly request: WatchRequest;
  /** The one node to ask; undefined for any. */
  readonly only: Endpoint | undefined;
  /** Draws a number that no other watch of the client has. */
  readonly drawWatchId: () => number;
  readonly sink: WatchSink;
};

/** A watch of a client. */
export class WatchFlow implements WatchListener {
  readonly #options: WatchFlowOptions;

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
  readonly #askers: Set<ProgressAsker> = new Set();
  #hasEnded = false;

  constructor(options: WatchFlowOptions) {
    this.#options = options;
    this.#next = options.request.startRevision;
  }

  /** Asks for the watch: once. Its sink may be told at once that it has failed. */
  start(): void {
    this.#ask();
  }

  /** Whether a node tells it what happens. */
  get isLive(): boolean {
    return this.#link !== undefined;
  }

  /** Tells the node to stop for now: there is too much to take. */
  hold(): void {
    if (this.#link !== undefined) void this.#cancel();
  }

  /** Goes on after `hold`. */
  resume(): void {
    const isHeld = this.#link === undefined && this.#call === undefined && !this.#hasEnded;
    if (isHeld) this.#ask();
  }

  /**
   * Tells, by `resolve`, a revision up to which all events have been given to the sink; later,
   * while the watch is held.
   */
  progress(resolve: (revision: number) => void, reject: (error: KvorumError) => void): void {
    const asker: ProgressAsker = { resolve, reject, call: undefined };
    this.#askers.add(asker);
    this.#askProgress(asker);
  }

  /**
   * Ends the watch. Resolves when its node has stopped, or cannot be told.
   * @param error what askers for progress are told
   */
  end(error: KvorumError): Promise<void> {
    if (this.#hasEnded) return Promise.resolve();
    this.#hasEnded = true;
    const askers = [...this.#askers];
    // One that is sent stays: when it is accepted, the node is told to stop.
    const call = this.#call;
    if (call !== undefined && call.state !== CallState.Sent) this.#options.router.cancel(call);
    const told = this.#cancel();
    this.#askers.clear();
    for (const asker of askers) asker.reject(error);
    return told;
  }

  onEvents(batch: WatchBatch): void {
    for (const event of batch.events) this.#parts.push(event);
    if (batch.isFragment) return;
    const events = this.#parts;
    this.#parts = [];
    this.#failedCount = 0;
    this.#give({ revision: events.at(-1)?.kv.modRevision ?? batch.revision, events });
  }

  onNote(revision: number): void {
    this.#failedCount = 0;
    this.#give({ revision, events: [] });
  }

  onCancelled(link: Link, { code, compactRevision }: WatchCancellation): void {
    this.#detach();
    if (code === ErrorCode.Compacted) {
      this.#fail(new WatchError(compactRevision));
      return;
    }
    const error = new KvorumError(code);
    if (error.retry === Retry.Never) {
      this.#fail(error);
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
      (reply, link) => {
        if (reply.type === FrameType.WatchCreate) this.#onAccepted(link, reply.body);
      },
      (error) => this.#fail(error),
      this.#failedCount,
    );
  }

  #onAccepted(link: Link, head: ReplyHeader): void {
    this.#call = undefined;
    this.#link = link;
    if (this.#hasEnded) {
      void this.#cancel();
      return;
    }
    if (this.#next === 0) this.#next = head.revision + 1;
    link.listen(this.#watchId, this);
    this.#options.sink.onAccepted(this.#next, head);
    for (const asker of this.#askers) this.#askProgress(asker);
  }

  #askProgress(asker: ProgressAsker): void {
    if (this.#link === undefined || this.#hasEnded) return; // asked when the watch lives again
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
    this.#next = Math.max(this.#next, revision + 1);
    asker.resolve(revision);
  }

  #give(batch: WatchEvents): void {
    this.#next = Math.max(this.#next, batch.revision + 1);
    this.#options.sink.onBatch(batch);
  }

  #fail(error: KvorumError): void {
    if (this.#hasEnded) return;
    void this.end(error);
    this.#options.sink.onFailed(error);
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
