/**
 * Watches as dumb as they can be: a list of all that ever happened, and each watch's place in it.
 * What a watch is told is compared with the list, event by event.
 */

import {
  type DeleteRangeRequest,
  EventKind,
  type KeyValue,
  OpKind,
  type PutRequest,
  type TxnOp,
  type WatchBatch,
  type WatchRequest,
} from '../../../include/kvstore.ts';
import { showEvent } from '../watch-requests.ts';

type Happening = {
  readonly kind: EventKind;
  readonly kv: KeyValue;
  readonly before: KeyValue | undefined;
};

const NOTHING = Buffer.alloc(0);

/** The keys as they are, and all that happened to them. */
export class HistoryModel {
  revision = 1;
  readonly history: Happening[] = [];
  readonly #keys = new Map<string, KeyValue>();
  /** What the revision being made has changed, as it was before. */
  readonly #old = new Map<string, KeyValue | undefined>();

  /** Applies the operations of one revision. */
  apply(ops: readonly TxnOp[]): void {
    const main = this.revision + 1;
    this.#old.clear();
    for (const op of ops) {
      if (op.kind === OpKind.Put) this.#put(op.request, main);
      else if (op.kind === OpKind.DeleteRange) this.#delete(op.request, main);
    }
    if (this.#old.size > 0) this.revision = main;
  }

  #put({ key, value }: PutRequest, main: number): void {
    const text = key.toString('latin1');
    const known = this.#keys.get(text);
    if (!this.#old.has(text)) this.#old.set(text, known);
    const kv: KeyValue = {
      key,
      value,
      createRevision: known?.createRevision ?? main,
      modRevision: main,
      version: (known?.version ?? 0) + 1,
      lease: 0n,
    };
    this.#keys.set(text, kv);
    const before = kv.createRevision === main ? undefined : this.#old.get(text);
    this.history.push({ kind: EventKind.Put, kv, before });
  }

  #delete(request: DeleteRangeRequest, main: number): void {
    for (const text of [...this.#keys.keys()].sort()) {
      const known = this.#keys.get(text)!;
      if (!isIn(known.key, request)) continue;
      if (!this.#old.has(text)) this.#old.set(text, known);
      this.#keys.delete(text);
      const zeros = { createRevision: 0, version: 0, lease: 0n };
      const kv = { key: known.key, value: NOTHING, modRevision: main, ...zeros };
      this.history.push({ kind: EventKind.Delete, kv, before: this.#old.get(text) });
    }
  }
}

/** A watch, and how much of the history it has been told. */
export class WatchModel {
  readonly request: WatchRequest;
  readonly #model: HistoryModel;
  readonly #start: number;
  #place = 0;
  #isTorn = false;
  isCancelled = false;

  constructor(model: HistoryModel, request: WatchRequest, revision: number) {
    this.#model = model;
    this.request = request;
    this.#start = request.startRevision === 0 ? revision + 1 : request.startRevision;
  }

  /** What is wrong with a batch; undefined if nothing is. */
  check(batch: WatchBatch, compactRevision: number): string | undefined {
    if (this.isCancelled) return 'told after it was cancelled';
    if (batch.events.length === 0 && !this.#isTorn) return 'told of nothing';
    if (batch.events.length === 0 && batch.isFragment) return 'an empty fragment';
    for (const event of batch.events) {
      const next = this.#next();
      if (next === undefined) return `told too much: ${showEvent(event)}`;
      const { kind, kv, before } = next;
      const hasPrev = this.request.prevKv && kv.modRevision - 1 >= compactRevision;
      const expected = showEvent({ kind, kv, prevKv: hasPrev ? before : undefined });
      const told = showEvent(event);
      if (told !== expected) return `told ${told.slice(0, 99)} instead of ${expected.slice(0, 99)}`;
      this.#place += 1;
    }
    const last = batch.events.at(-1)?.kv.modRevision;
    this.#isTorn = batch.isFragment;
    const owed = this.#next()?.kv.modRevision;
    if (!batch.isFragment && last !== undefined && owed === last) return 'a revision is not whole';
    return undefined;
  }

  /** What is wrong when it is said to be in sync up to a revision; undefined if nothing is. */
  checkInSync(revision: number): string | undefined {
    if (this.isCancelled) return undefined;
    if (this.#isTorn) return 'a fragment has no end';
    const next = this.#next();
    if (next === undefined || next.kv.modRevision > revision) return undefined;
    return `not told of revision ${next.kv.modRevision}`;
  }

  /** The next thing it is to be told. */
  #next(): Happening | undefined {
    const { history } = this.#model;
    for (; this.#place < history.length; this.#place += 1) {
      const happening = history[this.#place]!;
      if (this.#wants(happening)) return happening;
    }
    return undefined;
  }

  #wants({ kind, kv }: Happening): boolean {
    const { request } = this;
    if (kv.modRevision < this.#start || !isIn(kv.key, request)) return false;
    return kind === EventKind.Put ? !request.noPut : !request.noDelete;
  }
}

function isIn(key: Buffer, range: { readonly key: Buffer; readonly rangeEnd: Buffer }): boolean {
  const { rangeEnd } = range;
  if (rangeEnd.length === 0) return key.equals(range.key);
  if (key.compare(range.key) < 0) return false;
  return (rangeEnd.length === 1 && rangeEnd[0] === 0) || key.compare(rangeEnd) < 0;
}
