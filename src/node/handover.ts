/**
 * Giving up leadership before a stop (Raft thesis 3.10), so that clients need not wait for an
 * election.
 */

import { HANDOVER_TIMEOUT_MS, Role } from '../../include/node.ts';
import type { Member } from './member.ts';
import { chooseSuccessor } from './successor.ts';

/**
 * Hands leadership to the follower whose log is nearest to the leader's, if this member leads and
 * one is online. Resolves when another leads, or when waiting has no more point: a stop goes on
 * anyway.
 */
export async function handOver(member: Member): Promise<void> {
  if (member.raft.role !== Role.Leader) return;
  // Not one that the change under way removes.
  const { voters } = member.raft.configuration;
  const target = chooseSuccessor(member.raft, member.options.transport, (id) =>
    voters.includes(id),
  );
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
