/**
 * etcd's data model, as dumb as it can be written: every version of every key, searched from one
 * end. The store and etcd itself are compared with it.
 */

import type {
  DeleteRangeRequest,
  DeleteRangeResult,
  KeyValue,
  PutRequest,
  PutResult,
  RangeRequest,
  RangeResult,
} from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';

type Version = { readonly revision: number; readonly kv: KeyValue | undefined };

/** A store made of arrays. */
export class StoreModel {
  revision = 1;
  compactRevision = -1;
  readonly #versions = new Map<string, Version[]>();

  put(request: PutRequest): PutResult | ErrorCode {
    if (request.lease !== 0n) return ErrorCode.LeaseNotFound;
    const before = this.#at(request.key.toString('latin1'), this.revision);
    if ((request.ignoreValue || request.ignoreLease) && before === undefined) {
      return ErrorCode.KeyNotFound;
    }
    this.revision += 1;
    this.#write(request.key.toString('latin1'), {
      key: request.key,
      value: request.ignoreValue && before !== undefined ? before.value : request.value,
      createRevision: before?.createRevision ?? this.revision,
      modRevision: this.revision,
      version: (before?.version ?? 0) + 1,
      lease: 0n,
    });
    return { revision: this.revision, prevKv: request.prevKv ? before : undefined };
  }

  deleteRange(request: DeleteRangeRequest): DeleteRangeResult {
    const dead = this.#inRange(request, this.revision);
    if (dead.length > 0) this.revision += 1;
    for (const kv of dead) this.#write(kv.key.toString('latin1'), undefined);
    return {
      revision: this.revision,
      deleted: dead.length,
      prevKvs: request.prevKv ? dead : [],
    };
  }

  compact(revision: number): ErrorCode | 0 {
    if (revision <= this.compactRevision) return ErrorCode.Compacted;
    if (revision > this.revision) return ErrorCode.FutureRevision;
    this.compactRevision = revision;
    return 0;
  }

  range(request: RangeRequest): RangeResult | ErrorCode {
    if (request.revision > this.revision) return ErrorCode.FutureRevision;
    const at = request.revision <= 0 ? this.revision : request.revision;
    if (at < this.compactRevision) return ErrorCode.Compacted;
    const all = this.#inRange(request, at);
    const revision = this.revision;
    if (request.countOnly) return { revision, kvs: [], more: false, count: all.length };
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
    const more = request.limit > 0 && kvs.length > request.limit;
    if (more) kvs = kvs.slice(0, request.limit);
    if (request.keysOnly) kvs = kvs.map((kv) => ({ ...kv, value: Buffer.alloc(0) }));
    return { revision, kvs, more, count: all.length };
  }

  #write(key: string, kv: KeyValue | undefined): void {
    const versions = this.#versions.get(key) ?? [];
    versions.push({ revision: this.revision, kv });
    this.#versions.set(key, versions);
  }

  #at(key: string, revision: number): KeyValue | undefined {
    return this.#versions.get(key)?.findLast((version) => version.revision <= revision)?.kv;
  }

  #inRange({ key, rangeEnd }: { key: Buffer; rangeEnd: Buffer }, revision: number): KeyValue[] {
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
