/**
 * What clients may ask of a member, and what is refused before it costs anything.
 *
 * Writes go into the leader's log; elsewhere the client is pointed at the leader. Reads are
 * answered by every member: linearizable ones after a read index, serializable ones at once.
 */

import type { RangeRequest } from '../../include/kvstore.ts';
import {
  APPLY_BACKLOG_MAX,
  EntryType,
  MEMBER_TIMEOUT_MS,
  type NodeStatus,
  ProposeResult,
  Role,
} from '../../include/node.ts';
import { type Command, ErrorCode, FrameType } from '../../include/rpc.ts';
import { checkRequest } from '../kvstore/check-request.ts';
import type { Asker } from './asker.ts';
import type { Member } from './member.ts';
import * as core from './raft/raft.ts';

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
  command: Command,
): void {
  const { raft, proposals, options } = member;
  if (member.isStopped) return asker.refuse(id, ErrorCode.Stopped, undefined);
  const refusal = checkRequest(command);
  if (refusal !== 0) return asker.refuse(id, refusal, undefined);
  if (raft.role !== Role.Leader) return member.redirect(asker, id);
  if (member.applyBacklog >= APPLY_BACKLOG_MAX) {
    return asker.refuse(id, ErrorCode.TooManyRequests, undefined);
  }

  switch (core.propose(raft, EntryType.Command, data)) {
    case ProposeResult.NotLeader:
      return member.redirect(asker, id);
    case ProposeResult.Transferring:
      return asker.refuse(id, ErrorCode.NoLeader, undefined);
    case ProposeResult.Full:
      return asker.refuse(id, ErrorCode.TooManyRequests, undefined);
    case ProposeResult.Accepted: {
      const deadlineMs = options.clock.nowMs() + MEMBER_TIMEOUT_MS;
      const index = core.lastIndex(raft);
      const proposal = { index, term: raft.term, asker, id, command, deadlineMs };
      proposals.add(proposal, (lost) => member.redirect(lost.asker, lost.id));
      member.schedulePump();
    }
  }
}

/** Reads a range. */
export function requestRange(
  member: Member,
  asker: Asker,
  id: number,
  request: RangeRequest,
): void {
  if (member.isStopped) return asker.refuse(id, ErrorCode.Stopped, undefined);
  const refusal = checkRequest({ type: FrameType.Range, body: request });
  if (refusal !== 0) return asker.refuse(id, refusal, undefined);
  if (!request.serializable) {
    const deadlineMs = member.options.clock.nowMs() + MEMBER_TIMEOUT_MS;
    member.reads.add({ asker, id, request, deadlineMs });
    member.schedulePump();
  } else if (member.isInstalling) {
    refuseWhileInstalling(asker, id);
  } else {
    member.answerRead({ asker, id, request });
  }
}

function refuseWhileInstalling(asker: Asker, id: number): void {
  asker.refuse(id, ErrorCode.TooManyRequests, 'kvorum: a snapshot is being installed: ask again');
}

/** Says how this member is. */
export function requestStatus(member: Member, asker: Asker, id: number): void {
  if (member.isInstalling) return refuseWhileInstalling(asker, id);
  asker.answer(id, { type: FrameType.Status, body: statusOf(member) });
}

/** Hands leadership over. */
export function requestMoveLeader(member: Member, asker: Asker, id: number, target: number): void {
  if (member.isStopped) return asker.refuse(id, ErrorCode.Stopped, undefined);
  member.transfers.begin(asker, id, target);
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
    peers: options.transport.peers(),
  };
}
