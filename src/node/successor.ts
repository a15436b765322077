/** Who is to lead when this member gives leadership up. */

import type { NodeId } from '../../include/node.ts';
import * as core from './raft/raft.ts';
import type { Transport } from './transport.ts';

/**
 * The voter that is online, as wanted, and whose log is nearest to the leader's; undefined when
 * there is none.
 */
export function chooseSuccessor(
  raft: core.Raft,
  transport: Pick<Transport, 'peers'>,
  isWanted: (id: NodeId) => boolean,
): NodeId | undefined {
  const online = new Set<NodeId>();
  for (const peer of transport.peers()) if (peer.isOnline) online.add(peer.id);
  return core
    .raftStatus(raft)
    .progress.filter(({ id, isLearner }) => !isLearner && online.has(id) && isWanted(id))
    .sort((a, b) => b.match - a.match || a.id - b.id)[0]?.id;
}
