/**
 * What clients may ask of a member, and what is refused before it costs anything.
 *
 * Writes go into the leader's log; elsewhere the client is pointed at the leader. Reads are
 * answered by every member: linearizable ones after a read index, serializable ones at once. What
 * concerns the time of a lease is a linearizable read that only the leader answers.
 */

import { OpKind, type TxnOp } from '../../include/kvstore.ts';
import type { LogLevel } from '../../include/log.ts';
import {
  APPLY_BACKLOG_MAX,
  type NodeStatus,
  READS_WAITING_MAX,
  Role,
  WRITES_WAITING_MAX,
} from '../../include/node.ts';
import {
  type Command,
  ErrorCode,
  FrameType,
  type MemberChangeRequest,
  type OnceCommand,
} from '../../include/rpc.ts';
import { checkRequest } from '../kvstore/check-request.ts';
import { encodeCommand } from '../rpc/command-codec.ts';
import type { Asker } from './asker.ts';
import type { Member } from './member.ts';
import { memberFamilies } from './metric-families.ts';
import * as core from './raft/raft.ts';
import type { ReadRequest } from './reads.ts';

/**
 * Proposes a write.
 *
 * @param data the entry's data, of which `command` is the decoded form; owned by the log from here
 * on
 */
export function requestWrite(
  member: Member,
  asker: Asker,
  id: number,
  data: Buffer,
  command: Command | OnceCommand,
): void {
  if (member.isStopped) return asker.refuse(id, ErrorCode.Stopped, undefined);
  const refusal = checkRequest(command);
  if (refusal !== 0) return asker.refuse(id, refusal, undefined);
  // Alarms are disarmed all the same: where all members are corrupt, nobody else could.
  if (member.serving.isCorrupt && command.type !== FrameType.AlarmSet) {
    return asker.refuse(id, ErrorCode.CorruptCluster, undefined);
  }
  if (member.raft.role !== Role.Leader) return member.redirect(asker, id);
  if (member.options.isDiskFull()) return asker.refuse(id, ErrorCode.NoSpace, undefined);
  if (isFull(member)) return asker.refuse(id, ErrorCode.TooManyRequests, undefined);
  const grant = completeGrant(member, command);
  if (grant === undefined) member.proposer.proposeFor(asker, id, data, command);
  else member.proposer.proposeFor(asker, id, encodeCommand(grant), grant);
}

/** Whether so much waits already that a write would only wait as well, and be given up. */
function isFull({ serving, proposals, isLate }: Member): boolean {
  return isLate || proposals.count >= WRITES_WAITING_MAX || serving.backlog >= APPLY_BACKLOG_MAX;
}

/**
 * What of a grant its leader decides, before it is proposed, so that applying it is the same
 * everywhere: an id for whom has none, and the least time (etcd: 1.5 elections).
 *
 * @returns undefined when there is nothing to decide
 */
function completeGrant(
  member: Member,
  command: Command | OnceCommand,
): Command | OnceCommand | undefined {
  if (command.type === FrameType.Once) {
    const inner = completeGrant(member, command.command);
    if (inner === undefined || inner.type === FrameType.Once) return undefined;
    return { type: FrameType.Once, mark: command.mark, command: inner };
  }
  if (command.type !== FrameType.LeaseGrant) return undefined;
  const { leaseTtlSecondsMin } = member.options;
  const { id, ttlSeconds } = command.body;
  if (id !== 0n && ttlSeconds >= leaseTtlSecondsMin) return undefined;
  const body = {
    id: id === 0n ? drawLeaseId(member) : id,
    ttlSeconds: Math.max(ttlSeconds, leaseTtlSecondsMin),
  };
  return { type: FrameType.LeaseGrant, body };
}

/**
 * A positive id of 63 bits that no lease has: chance above, and below the place in the log, which
 * no two grants share.
 */
function drawLeaseId({ options: { random }, raft }: Member): bigint {
  const index = core.lastIndex(raft) + 1;
  return (BigInt(random.below(2 ** 31)) << 32n) | BigInt.asUintN(32, BigInt(index));
}

/** Reads from the state, after a read index unless it may be stale. */
export function requestRead(member: Member, asker: Asker, id: number, request: ReadRequest): void {
  if (member.isStopped) return asker.refuse(id, ErrorCode.Stopped, undefined);
  const refusal = checkRequest(request);
  if (refusal !== 0) return asker.refuse(id, refusal, undefined);
  const { raft } = member;
  const isOfLeader =
    request.type === FrameType.LeaseKeepAlive || request.type === FrameType.LeaseTimeToLive;
  if (isOfLeader && raft.role !== Role.Leader) return member.redirect(asker, id);
  if (!isLocal(request)) {
    if (member.reads.count >= READS_WAITING_MAX) {
      return asker.refuse(id, ErrorCode.TooManyRequests, undefined);
    }
    const receivedMs = member.options.clock.nowMs();
    member.reads.add({ asker, id, request, term: raft.term, receivedMs });
    member.schedulePump();
  } else if (member.isInstalling) {
    refuseWhileInstalling(asker, id);
  } else {
    const receivedMs = member.times.beginLocal(request);
    member.serving.answerRead({ asker, id, request, term: raft.term, receivedMs });
  }
}

/** Whether a read may be answered from this member's state at once, maybe stale. */
function isLocal(request: ReadRequest): boolean {
  if (request.type === FrameType.Range) return request.body.serializable;
  if (request.type === FrameType.MemberList) return request.body.serializable;
  if (request.type !== FrameType.Txn) return false;
  const ops = [...request.body.success, ...request.body.failure];
  const isStaleAllowed = (op: TxnOp): boolean =>
    op.kind === OpKind.Range && op.request.serializable;
  return ops.length > 0 && ops.every(isStaleAllowed);
}

/** Names all leases that this member knows of, at once. */
export function requestLeaseList(member: Member, asker: Asker, id: number): void {
  if (member.isStopped) return asker.refuse(id, ErrorCode.Stopped, undefined);
  if (member.isInstalling) return refuseWhileInstalling(asker, id);
  member.serving.answerLeaseList(asker, id);
}

/** Hashes the history of keys that this member has. */
export function requestHash(member: Member, asker: Asker, id: number, revision: number): void {
  if (member.isStopped) return asker.refuse(id, ErrorCode.Stopped, undefined);
  if (member.isInstalling) return refuseWhileInstalling(asker, id);
  member.serving.answerHash(asker, id, revision);
}

/** The store is being swapped: it answers nothing until then. */
export function refuseWhileInstalling(asker: Asker, id: number): void {
  asker.refuse(id, ErrorCode.TooManyRequests, 'kvorum: a snapshot is being installed: ask again');
}

/** Says how this member is. */
export function requestStatus(member: Member, asker: Asker, id: number): void {
  if (member.isInstalling) return refuseWhileInstalling(asker, id);
  asker.answer(id, { type: FrameType.Status, body: statusOf(member) });
}

/** Says what this member measures about itself. */
export function requestMetrics(member: Member, asker: Asker, id: number): void {
  if (member.isInstalling) return refuseWhileInstalling(asker, id);
  const families = [...memberFamilies(member, statusOf(member)), ...member.options.measureOthers()];
  const body = { ...member.header(member.store.revision()), families };
  asker.answer(id, { type: FrameType.Metrics, body });
}

/** Sets how much this member logs. */
export function requestLogLevel(member: Member, asker: Asker, id: number, level: LogLevel): void {
  const { log } = member.options;
  log.setLevel(level);
  log.warn('log level set', { to: level });
  asker.answer(id, { type: FrameType.LogLevel, body: member.header(member.store.revision()) });
}

/** Hands leadership over. */
export function requestMoveLeader(member: Member, asker: Asker, id: number, target: number): void {
  if (member.isStopped) return asker.refuse(id, ErrorCode.Stopped, undefined);
  member.transfers.begin(asker, id, target);
  member.schedulePump();
}

/** Changes who the members are. */
export function requestMemberChange(
  member: Member,
  asker: Asker,
  id: number,
  request: MemberChangeRequest,
): void {
  if (member.isStopped) return asker.refuse(id, ErrorCode.Stopped, undefined);
  member.membership.change(asker, id, request);
  member.schedulePump();
}

/** How this member is. */
export function statusOf(member: Member): NodeStatus {
  const { options, raft, store } = member;
  const status = core.raftStatus(raft);
  return {
    clusterId: options.clusterId,
    nodeId: raft.id,
    version: options.version,
    protocolVersion: options.protocolVersion,
    clusterVersion: store.clusterVersion(),
    role: status.role,
    isLearner: status.isLearner,
    leader: status.leader,
    term: status.term,
    lastIndex: status.lastIndex,
    commitIndex: status.commitIndex,
    appliedIndex: store.applied().index,
    revision: store.revision(),
    compactRevision: Math.max(0, store.compactRevision()),
    ...store.size(),
    quotaBytes: options.upkeep.quotaBytes,
    alarms: store.alarms(),
    peers: options.transport.peers(),
  };
}
