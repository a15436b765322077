/**
 * A new configuration takes effect (thesis 4). Changes are not proposed by the core yet; whoever
 * decides on one calls this at the same place of the log on every member.
 */

import type { Configuration } from '../../../include/node.ts';
import { NO_NODE, Role } from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import { advanceCommit } from './commit.ts';
import { confirmRound } from './read-index.ts';
import { becomeFollower } from './role.ts';
import type { Raft } from './state.ts';
import { installConfiguration, isVoter } from './state.ts';
import { abortTransfer } from './transfer.ts';

/** Makes `configuration` the one in force. A member that is no longer a voter stops leading. */
export function applyConfiguration(raft: Raft, configuration: Configuration): void {
  assert(configuration.voters.length > 0, 'somebody votes', configuration.voters.length);
  installConfiguration(raft, configuration);
  if (raft.role !== Role.Follower && !isVoter(raft)) {
    becomeFollower(raft, raft.term, NO_NODE, 'it is no voter any more');
  }
  if (raft.role !== Role.Leader) return;

  const target = raft.progress.get(raft.transferTarget);
  const isTargetGone = target === undefined || target.isLearner;
  if (raft.transferTarget !== NO_NODE && isTargetGone) {
    abortTransfer(raft, 'the target is no voter any more');
  }
  raft.areAppendsDue = true;
  // A smaller majority may be there already.
  advanceCommit(raft);
  confirmRound(raft);
}
