/**
 * Giving up leadership before a stop (Raft thesis 3.10), so that clients need not wait for an
 * election.
 */

import { HANDOVER_TIMEOUT_MS, type NodeId, Role } from '../../include/node.ts';
import type { Member } from './member.ts';
import * as core from './raft/raft.ts';

/**
 * Hands leadership to the follower whose log is nearest to the leader's, if this member leads and
 * one is online. Resolves when another leads, or when waiting has no more point: a stop goes on
 * anyway.
 */
export async function handOver(member: Member): Promise<void> {
  if (member.raft.role !== Role.Leader) return;
  const target = chooseSuccessor(member);
  if (target === undefined) return;
  const { clock, log } = member.options;
  log.info('handing leadership over', { target });
  await new Promise<void>((resolve) => {
    clock.after(HANDOVER_TIMEOUT_MS, resolve);
    const done = (): void => resolve();
    member.transfers.begin({ answer: done, refuse: done, redirect: done }, 0, target);
    member.schedulePump();
  });
}

function chooseSuccessor(member: Member): NodeId | undefined {
  const online = new Set<NodeId>();
  for (const peer of member.options.transport.peers()) if (peer.isOnline) online.add(peer.id);
  const { progress, configuration } = core.raftStatus(member.raft);
  // Not one that the change under way removes.
  const candidates = progress.filter(({ id }) => {
    return configuration.voters.includes(id) && online.has(id);
  });
  candidates.sort((a, b) => b.match - a.match || a.id - b.id);
  return candidates[0]?.id;
}
