/**
 * Answers from the state as it is: to reads whose index the store has reached, and to those that
 * take what is there.
 */

import type { RangeResult, TxnResult } from '../../include/kvstore.ts';
import { RANGE_BYTES_MAX } from '../../include/node.ts';
import { ErrorCode, FrameType, type InternalCommand, type ReplyHeader } from '../../include/rpc.ts';
import type { Store } from '../kvstore/store.ts';
import type { Asker } from './asker.ts';
import type { Lessor } from './lessor.ts';
import type { Readings } from './readings.ts';
import type { Read, ReadRequest, Round } from './reads.ts';

/** What answering needs of a member. */
export type AnswerOptions = {
  readonly store: Store;
  readonly lessor: Lessor;
  /** Where reads go that take several turns. */
  readonly readings: Readings;
  /** The head of a reply as of now. */
  readonly header: (revision: number) => ReplyHeader;
  /** Whether what this member holds is known to be wrong. */
  readonly isCorrupt: () => boolean;
  /** Says who the members are. */
  readonly answerMembers: (asker: Asker, id: number) => void;
  /** Points a client at the leader. */
  readonly redirect: (asker: Asker, id: number) => void;
  /** A read was answered; `round` is undefined if it did not wait for one. */
  readonly onAnswered: (read: Read, round: Round | undefined) => void;
  /** Puts a command into the log for a client; returns whether it was taken: refused, if not. */
  readonly propose: (asker: Asker, id: number, command: InternalCommand) => boolean;
};

/** Answers a read. @param round that it waited for, if it did */
export function answerRead(member: AnswerOptions, read: Read, round: Round | undefined): void {
  const { asker, id, request } = read;
  const isOfKeys = request.type !== FrameType.MemberList && request.type !== FrameType.AlarmList;
  if (isOfKeys && member.isCorrupt()) return asker.refuse(id, ErrorCode.CorruptCluster, undefined);
  switch (request.type) {
    case FrameType.Range:
      return member.readings.add(
        member.store.beginRange(request.body, RANGE_BYTES_MAX),
        (result) => {
          answerRange(member, asker, id, result);
          member.onAnswered(read, round);
        },
      );
    case FrameType.Txn:
      return member.readings.add(
        member.store.beginReadTxn(request.body, RANGE_BYTES_MAX),
        (result) => {
          answerTxn(member, asker, id, result);
          member.onAnswered(read, round);
        },
      );
    case FrameType.MemberList:
      member.answerMembers(asker, id);
      return member.onAnswered(read, round);
    case FrameType.AlarmList:
      answerAlarms(member, asker, id);
      return member.onAnswered(read, round);
    case FrameType.LeaseKeepAlive:
    case FrameType.LeaseTimeToLive:
      if (member.lessor.term !== read.term) return member.redirect(asker, id);
      answerLease(member, asker, id, request);
      return member.onAnswered(read, round);
  }
}

/** What concerns the time of a lease. */
function answerLease(
  member: AnswerOptions,
  asker: Asker,
  id: number,
  request: Extract<
    ReadRequest,
    { readonly type: typeof FrameType.LeaseKeepAlive | typeof FrameType.LeaseTimeToLive }
  >,
): void {
  if (request.type === FrameType.LeaseKeepAlive) {
    answerKeepAlive(member, asker, id, request.body.id);
  } else {
    answerTimeToLive(member, asker, id, request.body.id, request.body.keys);
  }
}

/** Names all leases that this member knows of, by id. */
export function answerLeaseList(member: AnswerOptions, asker: Asker, id: number): void {
  if (member.isCorrupt()) return asker.refuse(id, ErrorCode.CorruptCluster, undefined);
  const ids: bigint[] = [];
  member.store.visitLeases((lease) => ids.push(lease.id));
  ids.sort((a, b) => (a < b ? -1 : 1));
  const head = member.header(member.store.revision());
  asker.answer(id, { type: FrameType.LeaseList, body: { ...head, ids } });
}

/** Hashes the history of keys, and answers when that is done. */
export function answerHash(
  { store, readings, header }: AnswerOptions,
  asker: Asker,
  id: number,
  revision: number,
): void {
  readings.add(store.beginHash(revision), (result) => {
    if (typeof result === 'number') return asker.refuse(id, result, undefined);
    const { revision: hashRevision, compactRevision, hash } = result;
    const body = { ...header(store.revision()), hashRevision, compactRevision, hash };
    asker.answer(id, { type: FrameType.HashKv, body });
  });
}

function answerAlarms({ store, header }: AnswerOptions, asker: Asker, id: number): void {
  const body = { ...header(store.revision()), alarms: store.alarms() };
  asker.answer(id, { type: FrameType.AlarmList, body });
}

function answerRange(
  member: AnswerOptions,
  asker: Asker,
  id: number,
  result: RangeResult | ErrorCode,
): void {
  if (typeof result === 'number') return asker.refuse(id, result, undefined);
  const { clusterId, nodeId, revision, term } = member.header(result.revision);
  const { kvs, more, count } = result;
  const body = { clusterId, nodeId, revision, term, kvs, more, count };
  asker.answer(id, { type: FrameType.Range, body });
}

function answerTxn(
  member: AnswerOptions,
  asker: Asker,
  id: number,
  result: TxnResult | ErrorCode,
): void {
  if (typeof result === 'number') return asker.refuse(id, result, undefined);
  const { succeeded, results } = result;
  const body = { ...member.header(result.revision), succeeded, results };
  asker.answer(id, { type: FrameType.Txn, body });
}

/**
 * Renews a lease. If the log says that less is left than the client will hear, that is cleared
 * first, and the entry that does it answers.
 */
function answerKeepAlive(member: AnswerOptions, asker: Asker, id: number, lease: bigint): void {
  const { lessor, store } = member;
  if (lessor.isCheckpointed(lease)) {
    const checkpoints = [{ id: lease, remainingSeconds: 0 }];
    const command = { type: FrameType.LeaseCheckpoint, body: { checkpoints } } as const;
    if (member.propose(asker, id, command)) lessor.clearing(lease);
    return;
  }
  const head = member.header(store.revision());
  const body = { ...head, id: lease, ttlSeconds: lessor.renew(lease) };
  asker.answer(id, { type: FrameType.LeaseKeepAlive, body });
}

function answerTimeToLive(
  member: AnswerOptions,
  asker: Asker,
  id: number,
  lease: bigint,
  hasKeys: boolean,
): void {
  const { lessor, store } = member;
  const keys = hasKeys ? store.leaseKeys(lease) : [];
  const body = {
    ...member.header(store.revision()),
    id: lease,
    ttlSeconds: lessor.secondsLeft(lease),
    grantedTtlSeconds: store.lease(lease)?.ttlSeconds ?? 0,
    keys,
  };
  asker.answer(id, { type: FrameType.LeaseTimeToLive, body });
}
