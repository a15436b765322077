/**
 * What locks and elections have in common: keys under a prefix, each hanging on its contender's
 * lease; the oldest one holds, the others wait for those before them to go (etcd's concurrency
 * package, so that clients that use it themselves contend with those that ask the server).
 */

import { GrpcCode } from '../../../include/gateway.ts';
import {
  type Compare,
  CompareResult,
  CompareTarget,
  EventKind,
  NO_RANGE_END,
  OpKind,
  type RangeRequest,
  SortOrder,
  SortTarget,
  type TxnOp,
} from '../../../include/kvstore.ts';
import {
  ErrorCode,
  FrameType,
  KvorumError,
  type RangeReply,
  type ReplyHeader,
  type TxnReply,
} from '../../../include/rpc.ts';
import { prefixEnd } from '../../client/requests.ts';
import { WatchTask } from '../../client/watcher.ts';
import { type Call, statusOfError } from '../calls/call.ts';
import type { NodeClient } from '../node-client.ts';

/** Seconds of the lease that a contender without one is given; nobody renews it. */
const LEASE_SECONDS = 60;

const NO_BYTES: Buffer = Buffer.alloc(0);

/** Who waits for what, under one name. */
export type Contender = {
  readonly prefix: Buffer;
  readonly key: Buffer;
  readonly lease: bigint;
};

/** A contender by its lease; one without is given a lease. */
export async function contenderOf(
  node: NodeClient,
  name: Buffer,
  lease: bigint,
): Promise<Contender> {
  const held = lease === 0n ? await grant(node) : lease;
  const prefix = prefixOf(name);
  return { prefix, key: Buffer.concat([prefix, Buffer.from(held.toString(16))]), lease: held };
}

/** What all keys of a name start with. */
export function prefixOf(name: Buffer): Buffer {
  return Buffer.concat([name, Buffer.from('/')]);
}

/**
 * Waits until no key under the prefix is as old as `createRevision`.
 * @returns the head of the last look
 */
export async function waitForElders(
  node: NodeClient,
  prefix: Buffer,
  createRevision: number,
  call: Call<never>,
): Promise<ReplyHeader> {
  for (;;) {
    const look = await readPrefix(node, prefix, {
      sortOrder: SortOrder.Descend,
      maxCreateRevision: createRevision,
    });
    const youngest = look.kvs[0];
    if (youngest === undefined || call.isEnded) return look;
    await waitForDeletion(node, youngest.key, look.revision + 1, call);
    if (call.isEnded) return look;
  }
}

/** The oldest pair under a prefix. */
export async function readOldest(node: NodeClient, prefix: Buffer): Promise<RangeReply> {
  return readPrefix(node, prefix, { sortOrder: SortOrder.Ascend });
}

/** A transaction on the condition that a key was created at a revision; 0: it is not there. */
export async function ifCreatedAt(
  node: NodeClient,
  key: Buffer,
  revision: number,
  success: readonly TxnOp[],
  failure: readonly TxnOp[] = [],
): Promise<TxnReply> {
  const compare: Compare = {
    key,
    rangeEnd: NO_RANGE_END,
    result: CompareResult.Equal,
    target: CompareTarget.Create,
    counter: revision,
    value: NO_BYTES,
    lease: 0n,
  };
  const body = { compares: [compare], success, failure };
  return node.request({ type: FrameType.Txn, body });
}

/** Puts a key with a lease. */
export function putOp(key: Buffer, value: Buffer, lease: bigint): TxnOp {
  const flags = { prevKv: false, ignoreValue: false, ignoreLease: false };
  return { kind: OpKind.Put, request: { key, value, lease, ...flags } };
}

/** Reads a key. */
export function getOp(key: Buffer): TxnOp {
  return { kind: OpKind.Range, request: rangeOf(key, NO_RANGE_END, {}) };
}

/** Deletes a key. */
export function deleteOp(key: Buffer): TxnOp {
  const request = { key, rangeEnd: NO_RANGE_END, prevKv: false };
  return { kind: OpKind.DeleteRange, request };
}

/** Watches a key or prefix from a revision on. Close it. */
export function watchFrom(
  node: NodeClient,
  key: Buffer,
  rangeEnd: Buffer,
  startRevision: number,
): WatchTask {
  const kinds = { prevKv: false, noPut: false, noDelete: false, progressNotify: false };
  return new WatchTask({
    router: node.router,
    only: node.endpoint,
    drawWatchId: () => node.drawWatchId(),
    request: { key, rangeEnd, startRevision, ...kinds },
  });
}

/** Runs what answers a call: all that goes wrong is Unknown, with etcd's text. */
export function contest(call: Call<never>, run: () => Promise<void>): void {
  run().catch((error) => {
    const { message } = statusOfError(error);
    call.end({ code: GrpcCode.Unknown, message });
  });
}

async function waitForDeletion(
  node: NodeClient,
  key: Buffer,
  revision: number,
  call: Call<never>,
): Promise<void> {
  const watch = watchFrom(node, Buffer.from(key), NO_RANGE_END, revision);
  call.onEnded = () => void watch.close();
  for await (const { events } of watch) {
    if (events.some((event) => event.kind === EventKind.Delete)) break;
  }
}

async function grant(node: NodeClient): Promise<bigint> {
  const body = { id: 0n, ttlSeconds: LEASE_SECONDS };
  return (await node.request({ type: FrameType.LeaseGrant, body })).id;
}

/** The first pair under a prefix, by creation. */
function readPrefix(
  node: NodeClient,
  prefix: Buffer,
  how: Partial<RangeRequest>,
): Promise<RangeReply> {
  const sorted = { limit: 1, sortTarget: SortTarget.Create, ...how };
  const body = rangeOf(prefix, prefixEnd(prefix), sorted);
  return node.request({ type: FrameType.Range, body });
}

function rangeOf(key: Buffer, rangeEnd: Buffer, how: Partial<RangeRequest>): RangeRequest {
  if (key.length === 0) throw new KvorumError(ErrorCode.KeyEmpty);
  return {
    ...{ key, rangeEnd, limit: 0, revision: 0 },
    ...{ sortOrder: SortOrder.None, sortTarget: SortTarget.Key },
    ...{ serializable: false, keysOnly: false, countOnly: false },
    ...{ minModRevision: 0, maxModRevision: 0, minCreateRevision: 0, maxCreateRevision: 0 },
    ...{ pageBytes: 0, uncounted: false },
    ...how,
  };
}
