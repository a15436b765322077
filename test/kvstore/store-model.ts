/**
 * etcd's data model, as dumb as it can be written: every version of every key, searched from one
 * end. The store and etcd itself are compared with it.
 */

import type {
  CompactRequest,
  CompactResult,
  Compare,
  DeleteRangeRequest,
  DeleteRangeResult,
  ExpireRequest,
  KeyValue,
  LeaseCheckpointRequest,
  LeaseGrantRequest,
  LeaseGrantResult,
  LeaseRevokeRequest,
  LeaseRevokeResult,
  PutRequest,
  PutResult,
  RangeRequest,
  RangeResult,
  SessionMark,
  SessionOpenRequest,
  SessionOpenResult,
  Store,
  TxnOp,
  TxnOpResult,
  TxnRequest,
  TxnResult,
  WriteResult,
} from '../../include/kvstore.ts';
import { FROM_KEY, OpKind } from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';

/** What a store and its model have in common: whatever an entry of the log may ask. */
export type Machine = Pick<
  Store,
  | 'put'
  | 'deleteRange'
  | 'compact'
  | 'txn'
  | 'leaseGrant'
  | 'leaseRevoke'
  | 'leaseCheckpoint'
  | 'expire'
  | 'sessionOpen'
  | 'once'
>;

type Version = { readonly revision: number; readonly kv: KeyValue | undefined };
type Bounds = { readonly key: Buffer; readonly rangeEnd: Buffer };
type ModelLease = { ttlSeconds: number; remainingSeconds: number; grantIndex: number };
type ModelSession = {
  lastIndex: number;
  acknowledged: number;
  readonly answers: Map<number, WriteResult | ErrorCode>;
};

/** A store made of arrays. */
export class StoreModel implements Machine {
  revision = 1;
  compactRevision = -1;
  /** The entry being applied. */
  index = 1;
  readonly leases = new Map<bigint, ModelLease>();
  readonly sessions = new Map<number, ModelSession>();
  readonly #versions = new Map<string, Version[]>();
  /** The revision that the writes under way make. */
  #main = 2;

  put(request: PutRequest): PutResult | ErrorCode {
    if (request.lease !== 0n && !this.leases.has(request.lease)) return ErrorCode.LeaseNotFound;
    const before = this.#at(request.key.toString('latin1'), this.revision);
    if ((request.ignoreValue || request.ignoreLease) && before === undefined) {
      return ErrorCode.KeyNotFound;
    }
    return this.#transact(() => this.#put(request));
  }

  deleteRange(request: DeleteRangeRequest): DeleteRangeResult {
    return this.#transact(() => this.#deleteRange(request));
  }

  compact({ revision }: CompactRequest): CompactResult | ErrorCode {
    if (revision <= this.compactRevision) return ErrorCode.Compacted;
    if (revision > this.revision) return ErrorCode.FutureRevision;
    this.compactRevision = revision;
    return { revision: this.revision };
  }

  txn(request: TxnRequest): TxnResult | ErrorCode {
    const taken = new Map<TxnRequest, boolean>();
    this.#choose(request, taken);
    const ops = listOps(request, taken);
    for (const [slot, op] of ops.entries()) {
      if (op.kind !== OpKind.Put) continue;
      const { key, ignoreValue, ignoreLease, lease } = op.request;
      // Of all deletions only those from a key on may come before a put of the key.
      const isDeleted = ops
        .slice(0, slot)
        .some(
          (earlier) =>
            earlier.kind === OpKind.DeleteRange &&
            earlier.request.rangeEnd.equals(FROM_KEY) &&
            earlier.request.key.compare(key) <= 0,
        );
      const isThere = !isDeleted && this.#at(key.toString('latin1'), this.revision) !== undefined;
      if ((ignoreValue || ignoreLease) && !isThere) return ErrorCode.KeyNotFound;
      if (lease !== 0n && !this.leases.has(lease)) return ErrorCode.LeaseNotFound;
    }
    for (const op of ops) {
      if (op.kind !== OpKind.Range || op.request.revision === 0) continue;
      if (op.request.revision > this.revision) return ErrorCode.FutureRevision;
      if (op.request.revision < this.compactRevision) return ErrorCode.Compacted;
    }
    const result = this.#transact(() => this.#run(request, taken));
    return { ...result, revision: this.revision };
  }

  leaseGrant({ id, ttlSeconds }: LeaseGrantRequest): LeaseGrantResult | ErrorCode {
    if (this.leases.has(id)) return ErrorCode.LeaseExists;
    this.leases.set(id, { ttlSeconds, remainingSeconds: 0, grantIndex: this.index });
    return { revision: this.revision, id, ttlSeconds };
  }

  leaseRevoke({ id }: LeaseRevokeRequest): LeaseRevokeResult | ErrorCode {
    if (!this.leases.has(id)) return ErrorCode.LeaseNotFound;
    return this.#transact(() => {
      for (const key of this.leaseKeys(id)) this.#write(key, undefined);
      this.leases.delete(id);
      return { revision: 0 };
    });
  }

  leaseCheckpoint({ checkpoints }: LeaseCheckpointRequest): void {
    for (const { id, remainingSeconds } of checkpoints) {
      const lease = this.leases.get(id);
      if (lease !== undefined) lease.remainingSeconds = remainingSeconds;
    }
  }

  expire(request: ExpireRequest): void {
    for (const { id, grantIndex } of request.leases) {
      if (this.leases.get(id)?.grantIndex === grantIndex) this.leaseRevoke({ id });
    }
    for (const { session, lastIndex } of request.sessions) {
      if (this.sessions.get(session)?.lastIndex === lastIndex) this.sessions.delete(session);
    }
  }

  sessionOpen({ ttlSeconds }: SessionOpenRequest): SessionOpenResult {
    const session = { lastIndex: this.index, acknowledged: 0, answers: new Map() };
    this.sessions.set(this.index, session);
    return { revision: this.revision, session: this.index, ttlSeconds };
  }

  once(mark: SessionMark, apply: () => WriteResult | ErrorCode): WriteResult | ErrorCode {
    const session = this.sessions.get(mark.session);
    if (session === undefined) return ErrorCode.SessionExpired;
    session.lastIndex = this.index;
    session.acknowledged = Math.max(session.acknowledged, mark.acknowledged);
    if (mark.sequence <= session.acknowledged) return ErrorCode.AnswerGiven;
    const answer = session.answers.get(mark.sequence) ?? apply();
    session.answers.set(mark.sequence, answer);
    return answer;
  }

  /** Of a deletion that was carried out in steps, sessions remember no pairs, but the fact. */
  forgetPairs(answer: object): void {
    if (!('prevKvs' in answer) || !Array.isArray(answer.prevKvs) || answer.prevKvs.length === 0) {
      return;
    }
    for (const { answers } of this.sessions.values()) {
      for (const [sequence, known] of answers) {
        if (known === answer) answers.set(sequence, ErrorCode.AnswerForgotten);
      }
    }
  }

  /** The keys of a lease, in order, as latin-1. */
  leaseKeys(id: bigint): string[] {
    const all = { key: Buffer.from([0]), rangeEnd: Buffer.from([0]) };
    const pairs = this.#inRange(all, this.revision).filter((kv) => kv.lease === id);
    return pairs.map((kv) => kv.key.toString('latin1'));
  }

  range(request: RangeRequest): RangeResult | ErrorCode {
    if (request.revision > this.revision) return ErrorCode.FutureRevision;
    const at = request.revision <= 0 ? this.revision : request.revision;
    if (at < this.compactRevision) return ErrorCode.Compacted;
    const all = this.#inRange(request, at);
    const revision = this.revision;
    const count = request.uncounted ? 0 : all.length;
    if (request.countOnly) return { revision, kvs: [], more: false, count };
    const passes = (value: number, least: number, most: number) =>
      (least === 0 || value >= least) && (most === 0 || value <= most);
    const isFiltered =
      request.minModRevision !== 0 ||
      request.maxModRevision !== 0 ||
      request.minCreateRevision !== 0 ||
      request.maxCreateRevision !== 0;
    let kvs = all;
    // etcd fetches one more than the limit in key order, unless an order or a filter is given.
    if (request.limit > 0 && request.sortOrder === 0 && !isFiltered) {
      kvs = kvs.slice(0, request.limit + 1);
    }
    kvs = kvs.filter(
      (kv) =>
        passes(kv.modRevision, request.minModRevision, request.maxModRevision) &&
        passes(kv.createRevision, request.minCreateRevision, request.maxCreateRevision),
    );
    const sign = request.sortOrder === 2 ? -1 : 1;
    const compare = [
      (a: KeyValue, b: KeyValue) => a.key.compare(b.key),
      (a: KeyValue, b: KeyValue) => a.version - b.version,
      (a: KeyValue, b: KeyValue) => a.createRevision - b.createRevision,
      (a: KeyValue, b: KeyValue) => a.modRevision - b.modRevision,
      (a: KeyValue, b: KeyValue) => a.value.compare(b.value),
    ][request.sortTarget]!;
    kvs = [...kvs].sort((a, b) => sign * compare(a, b));
    if (request.keysOnly) kvs = kvs.map((kv) => ({ ...kv, value: Buffer.alloc(0) }));
    const most = request.limit > 0 ? request.limit : kvs.length;
    const page = kvs.slice(0, Math.min(most, pageLength(kvs, request.pageBytes)));
    return { revision, kvs: page, more: page.length < kvs.length, count };
  }

  /** Runs writes that share a revision, and tells it. */
  #transact<T extends object>(run: () => T): T & { revision: number } {
    this.#main = this.revision + 1;
    const result = run();
    return { ...result, revision: this.revision };
  }

  #put(request: PutRequest): PutResult {
    const before = this.#at(request.key.toString('latin1'), this.revision);
    this.#write(request.key.toString('latin1'), {
      key: request.key,
      value: request.ignoreValue && before !== undefined ? before.value : request.value,
      createRevision: before?.createRevision ?? this.#main,
      modRevision: this.#main,
      version: (before?.version ?? 0) + 1,
      lease: request.ignoreLease && before !== undefined ? before.lease : request.lease,
    });
    return { revision: this.revision, prevKv: request.prevKv ? before : undefined };
  }

  #deleteRange(request: DeleteRangeRequest): DeleteRangeResult {
    const dead = this.#inRange(request, this.revision);
    for (const kv of dead) this.#write(kv.key.toString('latin1'), undefined);
    return { revision: this.revision, deleted: dead.length, prevKvs: request.prevKv ? dead : [] };
  }

  #choose(request: TxnRequest, taken: Map<TxnRequest, boolean>): void {
    const holds = request.compares.every((compare) => this.#holds(compare));
    taken.set(request, holds);
    for (const op of holds ? request.success : request.failure) {
      if (op.kind === OpKind.Txn) this.#choose(op.request, taken);
    }
  }

  #holds(compare: Compare): boolean {
    const found: (KeyValue | undefined)[] = this.#inRange(compare, this.revision);
    if (found.length === 0) found.push(undefined);
    return found.every((kv) => {
      const pairs = [
        [kv?.version ?? 0, compare.counter],
        [kv?.createRevision ?? 0, compare.counter],
        [kv?.modRevision ?? 0, compare.counter],
        [kv?.value.toString('latin1') ?? '', compare.value.toString('latin1')],
        [kv?.lease ?? 0n, compare.lease],
      ] as const;
      if (compare.target === 3 && kv === undefined) return false;
      const [left, right] = pairs[compare.target];
      return [left === right, left > right, left < right, left !== right][compare.result]!;
    });
  }

  #run(request: TxnRequest, taken: Map<TxnRequest, boolean>): TxnResult {
    const succeeded = taken.get(request) === true;
    const results = (succeeded ? request.success : request.failure).map((op) =>
      this.#runOp(op, taken),
    );
    return { revision: this.revision, succeeded, results };
  }

  #runOp(op: TxnOp, taken: Map<TxnRequest, boolean>): TxnOpResult {
    switch (op.kind) {
      case OpKind.Range: {
        const result = this.range(op.request);
        if (typeof result === 'number') throw new Error('a range was not checked');
        return { kind: op.kind, result };
      }
      case OpKind.Put:
        return { kind: op.kind, result: this.#put(op.request) };
      case OpKind.DeleteRange:
        return { kind: op.kind, result: this.#deleteRange(op.request) };
      case OpKind.Txn:
        return { kind: op.kind, result: this.#run(op.request, taken) };
    }
  }

  #write(key: string, kv: KeyValue | undefined): void {
    this.revision = this.#main;
    const versions = this.#versions.get(key) ?? [];
    versions.push({ revision: this.#main, kv });
    this.#versions.set(key, versions);
  }

  #at(key: string, revision: number): KeyValue | undefined {
    return this.#versions.get(key)?.findLast((version) => version.revision <= revision)?.kv;
  }

  #inRange({ key, rangeEnd }: Bounds, revision: number): KeyValue[] {
    const isFromKey = rangeEnd.length === 1 && rangeEnd[0] === 0;
    const found: KeyValue[] = [];
    for (const text of [...this.#versions.keys()].sort()) {
      const candidate = Buffer.from(text, 'latin1');
      const isIn =
        rangeEnd.length === 0
          ? candidate.equals(key)
          : candidate.compare(key) >= 0 && (isFromKey || candidate.compare(rangeEnd) < 0);
      const kv = isIn ? this.#at(text, revision) : undefined;
      if (kv !== undefined) found.push(kv);
    }
    return found;
  }
}

/** How many pairs fit into a page: one always. */
function pageLength(kvs: readonly KeyValue[], pageBytes: number): number {
  if (pageBytes <= 0) return kvs.length;
  let sum = 0;
  const beyond = kvs.findIndex(({ key, value }, slot) => {
    sum += key.length + value.length;
    return sum > pageBytes && slot > 0;
  });
  return beyond < 0 ? kvs.length : beyond;
}

/** The operations of the branches taken, in order. */
function listOps(request: TxnRequest, taken: Map<TxnRequest, boolean>): TxnOp[] {
  const ops = taken.get(request) === true ? request.success : request.failure;
  return ops.flatMap((op) => (op.kind === OpKind.Txn ? listOps(op.request, taken) : [op]));
}
