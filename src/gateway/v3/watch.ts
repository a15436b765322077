/** etcd's Watch: a stream of requests that make and end watches, and what they see. */

import { STREAM_QUEUED_BYTES_MAX } from '../../../include/gateway.ts';
import { EventKind, type WatchEvent } from '../../../include/kvstore.ts';
import { ErrorCode, KvorumError } from '../../../include/rpc.ts';
import { type Call, failCall, type Receiver } from '../calls/call.ts';
import type { Methods } from '../calls/methods.ts';
import type { NodeClient } from '../node-client.ts';
import type { Event } from '../schema/mvccpb.ts';
import {
  type WatchCreateRequest,
  type WatchRequest,
  WatchResponse,
  WatchService,
} from '../schema/watch.ts';
import { pairOf } from './kv-responses.ts';
import { ServedWatch, type WatchOwner } from './served-watch.ts';

/** The id in answers that are no watch's. */
const NO_WATCH = -1n;

/** What an empty key stands for. */
const FIRST_KEY: Buffer = Buffer.from([0]);

/** Adds the service. */
export function addWatch(methods: Methods, node: NodeClient): void {
  methods.stream(WatchService.Watch, (call) => new WatchCall(node, call));
}

/** One stream of watches. */
class WatchCall implements Receiver<WatchRequest>, WatchOwner {
  readonly #node: NodeClient;
  readonly #call: Call<WatchResponse>;
  readonly #watches: Map<bigint, ServedWatch> = new Map();
  #nextId = 0n;
  /** Changes when a watch was accepted anew: what was asked before is not about it. */
  #acceptCount = 0;
  /** Requests for progress that wait until all watches are there. */
  #awaited = 0;
  #isHeld = false;

  constructor(node: NodeClient, call: Call<WatchResponse>) {
    this.#node = node;
    this.#call = call;
    call.onEnded = () => this.#close();
    call.onDrain = () => this.#onDrain();
  }

  onMessage(request: WatchRequest): void {
    if (request.create_request !== undefined) this.#create(request.create_request);
    else if (request.cancel_request !== undefined) this.#cancel(request.cancel_request.watch_id);
    else if (request.progress_request !== undefined) this.#askProgress();
  }

  /** The end of the requests does not end the watches. */
  onHalfClose(): void {}

  // ---- what watches tell ----

  onCreated(watch: ServedWatch, revision: number): void {
    this.#acceptCount += 1;
    this.#send({ watch_id: watch.id, created: true, header: this.#node.headerAt(revision) });
    this.#askAwaited();
    if (this.#isHeld) watch.hold();
  }

  onAcceptedAgain(watch: ServedWatch): void {
    this.#acceptCount += 1;
    if (this.#isHeld) watch.hold();
  }

  onEvents(
    watch: ServedWatch,
    revision: number,
    events: readonly WatchEvent[],
    isFragment: boolean,
  ) {
    const header = this.#node.headerAt(revision);
    this.#send({ header, watch_id: watch.id, fragment: isFragment, events: events.map(eventOf) });
    this.#holdIfFull();
  }

  onProgress(watch: ServedWatch, revision: number): void {
    this.#send({ header: this.#node.headerAt(revision), watch_id: watch.id });
  }

  onRefused(watch: ServedWatch, error: KvorumError): void {
    this.#watches.delete(watch.id);
    this.#refuse(error.message);
    this.#askAwaited();
  }

  onCompacted(watch: ServedWatch, compactRevision: number): void {
    this.#watches.delete(watch.id);
    const header = this.#node.headerAt(0);
    this.#send({ header, watch_id: watch.id, canceled: true, compact_revision: compactRevision });
  }

  onFailed(watch: ServedWatch, { message }: KvorumError): void {
    this.#watches.delete(watch.id);
    const header = this.#node.headerAt(watch.revision);
    this.#send({ header, watch_id: watch.id, canceled: true, cancel_reason: message });
  }

  onCancelled(watch: ServedWatch): void {
    this.#watches.delete(watch.id);
    this.#send({
      header: this.#node.headerAt(watch.revision),
      watch_id: watch.id,
      canceled: true,
    });
  }

  // ---- requests ----

  #create(request: WatchCreateRequest): void {
    const refusal = this.#refusal(request);
    if (refusal !== undefined) {
      this.#refuse(new KvorumError(refusal).message);
      return;
    }
    const id = request.watch_id === 0n ? this.#drawId() : request.watch_id;
    const watch = new ServedWatch(this.#node, this, id, request);
    this.#watches.set(id, watch);
    watch.start();
  }

  /** What its node need not be asked about; a refusal draws no id. */
  #refusal(request: WatchCreateRequest): ErrorCode | undefined {
    const { key, range_end: end, watch_id: id, start_revision } = request;
    const isOpen = end.length === 0 || (end.length === 1 && end[0] === 0);
    if (!isOpen && Buffer.compare(end, key.length === 0 ? FIRST_KEY : key) <= 0) {
      return ErrorCode.WatchRangeEmpty;
    }
    if (id !== 0n && this.#watches.has(id)) return ErrorCode.WatchExists;
    return start_revision < 0 ? ErrorCode.Compacted : undefined;
  }

  #drawId(): bigint {
    while (this.#watches.has(this.#nextId)) this.#nextId += 1n;
    const id = this.#nextId;
    this.#nextId += 1n;
    return id;
  }

  #cancel(id: bigint): void {
    this.#watches.get(id)?.cancel();
  }

  /** Says how far all watches are, once all are there; nothing if one does not go on, as etcd. */
  #askProgress(): void {
    const watches = [...this.#watches.values()];
    if (!watches.every((watch) => watch.isCreated)) {
      this.#awaited += 1;
      return;
    }
    const last = watches.at(-1);
    const tell = (revision: number): void => {
      this.#send({ header: this.#node.headerAt(revision), watch_id: NO_WATCH });
    };
    if (last === undefined) {
      this.#node.status().then(
        ({ revision }) => tell(revision),
        (error) => failCall(this.#call, error),
      );
      return;
    }
    if (this.#isHeld) return;
    const acceptCount = this.#acceptCount;
    last.progress((revision) => {
      const areLive = [...this.#watches.values()].every((watch) => watch.isLive);
      if (areLive && acceptCount === this.#acceptCount) tell(revision);
    });
  }

  /** Asks what waited for watches to be there. */
  #askAwaited(): void {
    const count = this.#awaited;
    this.#awaited = 0;
    for (let asked = 0; asked < count; asked += 1) this.#askProgress();
  }

  // ---- flow ----

  #holdIfFull(): void {
    if (this.#isHeld || this.#call.queuedBytes <= STREAM_QUEUED_BYTES_MAX) return;
    this.#isHeld = true;
    for (const watch of this.#watches.values()) watch.hold();
  }

  #onDrain(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    for (const watch of this.#watches.values()) watch.resume();
  }

  #refuse(reason: string): void {
    const header = this.#node.headerAt(this.#node.revision);
    const ended = { created: true, canceled: true, cancel_reason: reason };
    this.#send({ header, watch_id: NO_WATCH, ...ended });
  }

  #send(response: Partial<WatchResponse>): void {
    this.#call.send({ ...WatchResponse.create(), ...response });
  }

  #close(): void {
    const watches = [...this.#watches.values()];
    this.#watches.clear();
    for (const watch of watches) watch.close();
  }
}

function eventOf({ kind, kv, prevKv }: WatchEvent): Event {
  return {
    type: kind === EventKind.Delete ? 1 : 0,
    kv: pairOf(kv),
    prev_kv: prevKv === undefined ? undefined : pairOf(prevKv),
  };
}
