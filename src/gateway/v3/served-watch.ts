/**
 * One watch of a stream: from its creation, through all that happens to connections, to its end.
 *
 *   creating --accepted--> created --cancel-----------------> ended
 *      '--refused-----------'--compacted, or its node refuses--^
 *
 * A cancellation waits for the creation: its answer comes behind that of the creation.
 */

import { WatchError, type WatchEvents } from '../../../include/client.ts';
import { MESSAGE_BYTES_MAX } from '../../../include/gateway.ts';
import type { WatchEvent } from '../../../include/kvstore.ts';
import { ErrorCode, KvorumError, type ReplyHeader } from '../../../include/rpc.ts';
import { WatchFlow, type WatchSink } from '../../client/watch-flow.ts';
import type { NodeClient } from '../node-client.ts';
import type { WatchCreateRequest } from '../schema/watch.ts';

/** Filters of a request. */
const NO_PUT = 0;
const NO_DELETE = 1;

/** What an event adds to its bytes in a message, at most. */
const EVENT_BYTES = 64;

/** Whom a watch tells. */
export type WatchOwner = {
  /** It is there; `revision` is the node's current one. */
  readonly onCreated: (watch: ServedWatch, revision: number) => void;
  /** It was lost or held, and goes on. */
  readonly onAcceptedAgain: (watch: ServedWatch) => void;
  readonly onEvents: (
    watch: ServedWatch,
    revision: number,
    events: readonly WatchEvent[],
    isFragment: boolean,
  ) => void;
  readonly onProgress: (watch: ServedWatch, revision: number) => void;
  /** It was never there. */
  readonly onRefused: (watch: ServedWatch, error: KvorumError) => void;
  readonly onCompacted: (watch: ServedWatch, compactRevision: number) => void;
  /** It was there, and its node tells it nothing any more. */
  readonly onFailed: (watch: ServedWatch, error: KvorumError) => void;
  readonly onCancelled: (watch: ServedWatch) => void;
};

/** A watch. */
export class ServedWatch implements WatchSink {
  readonly id: bigint;
  /** The newest revision that it was told of. */
  revision = 0;
  /** Its creation was answered. */
  isCreated = false;

  readonly #node: NodeClient;
  readonly #owner: WatchOwner;
  readonly #flow: WatchFlow;
  readonly #hasFragments: boolean;
  #isCancelled = false;

  constructor(node: NodeClient, owner: WatchOwner, id: bigint, request: WatchCreateRequest) {
    this.id = id;
    this.#node = node;
    this.#owner = owner;
    this.#hasFragments = request.fragment;
    this.#flow = new WatchFlow({
      router: node.router,
      only: node.endpoint,
      drawWatchId: () => node.drawWatchId(),
      sink: this,
      request: {
        // Copies: a watch outlives what its request came with.
        key: Buffer.from(request.key),
        rangeEnd: Buffer.from(request.range_end),
        startRevision: request.start_revision,
        prevKv: request.prev_kv,
        noPut: request.filters.includes(NO_PUT),
        noDelete: request.filters.includes(NO_DELETE),
        progressNotify: request.progress_notify,
      },
    });
  }

  /** Whether the node tells it what happens. */
  get isLive(): boolean {
    return this.#flow.isLive;
  }

  /** Asks the node for it. */
  start(): void {
    this.#flow.start();
  }

  /** Ends it by its client's wish; its owner is told when that is so. */
  cancel(): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    if (this.isCreated) this.#endCancelled();
  }

  /** Ends it without a word. */
  close(): void {
    this.#isCancelled = true;
    void this.#flow.end(new KvorumError(ErrorCode.Stopped));
  }

  /** Lets nothing come for now. */
  hold(): void {
    if (this.isCreated) this.#flow.hold();
  }

  /** Goes on. */
  resume(): void {
    this.#flow.resume();
  }

  /** Asks how far all watches of the gateway are. */
  progress(onAnswer: (revision: number) => void): void {
    this.#flow.progress(onAnswer, () => {});
  }

  onAccepted(_next: number, head: ReplyHeader): void {
    this.revision = Math.max(this.revision, head.revision);
    this.#node.note(head);
    if (this.isCreated) {
      this.#owner.onAcceptedAgain(this);
      return;
    }
    this.isCreated = true;
    this.#owner.onCreated(this, head.revision);
    if (this.#isCancelled) this.#endCancelled();
  }

  onBatch({ revision, events }: WatchEvents): void {
    if (this.#isCancelled) return;
    this.revision = Math.max(this.revision, revision);
    if (events.length === 0) {
      this.#owner.onProgress(this, revision);
      return;
    }
    const parts = this.#hasFragments ? fragments(events) : [events];
    for (const [slot, part] of parts.entries()) {
      this.#owner.onEvents(this, revision, part, slot < parts.length - 1);
    }
  }

  onFailed(error: KvorumError): void {
    if (this.#isCancelled && this.isCreated) return;
    if (error instanceof WatchError) this.#owner.onCompacted(this, error.compactRevision);
    else if (this.isCreated) this.#owner.onFailed(this, error);
    else this.#owner.onRefused(this, error);
  }

  #endCancelled(): void {
    void this.#flow.end(new KvorumError(ErrorCode.Stopped));
    this.#owner.onCancelled(this);
  }
}

/** Cuts events into what one message holds. */
function fragments(events: readonly WatchEvent[]): (readonly WatchEvent[])[] {
  const parts: WatchEvent[][] = [];
  let part: WatchEvent[] = [];
  let partBytes = 0;
  for (const event of events) {
    const sizeBytes = sizeOf(event);
    if (part.length > 0 && partBytes + sizeBytes >= MESSAGE_BYTES_MAX) {
      parts.push(part);
      part = [];
      partBytes = 0;
    }
    part.push(event);
    partBytes += sizeBytes;
  }
  return [...parts, part];
}

function sizeOf({ kv, prevKv }: WatchEvent): number {
  const before = prevKv === undefined ? 0 : prevKv.key.length + prevKv.value.length;
  return EVENT_BYTES + kv.key.length + kv.value.length + before;
}
