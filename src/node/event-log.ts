/** The core's transitions as lines for an operator. */

import type { Log } from '../../include/log.ts';
import { NO_NODE, type RaftEvent, Role } from '../../include/node.ts';

/** What a role is called, in logs and in `kvorum status`. */
export const ROLE_NAMES: Readonly<Record<Role, string>> = {
  [Role.Follower]: 'follower',
  [Role.PreCandidate]: 'pre-candidate',
  [Role.Candidate]: 'candidate',
  [Role.Leader]: 'leader',
};

/** Writes one transition. */
export function logRaftEvent(log: Log, event: RaftEvent): void {
  switch (event.kind) {
    case 'role':
      return log.info(roleLine(event.role), { term: event.term, reason: event.reason });
    case 'leader':
      if (event.leader === NO_NODE) return log.info('leader lost', { term: event.term });
      return log.info('leader elected', { leader: event.leader, term: event.term });
    case 'vote': {
      const { candidate, term, granted } = event;
      return log.info(event.pre ? 'pre-vote' : 'vote', { candidate, term, granted });
    }
    case 'transfer-aborted':
      return log.warn('leader transfer aborted', { target: event.target, reason: event.reason });
    case 'configuration': {
      const { voters, outgoing, learners } = event.of;
      return log.info('configuration', { index: event.index, voters, outgoing, learners });
    }
    case 'committed-conflict': {
      const remedy = 'a member lost acknowledged data: compare the members before going on';
      return log.error('committed entries contradicted', {
        from: event.from,
        index: event.index,
        remedy,
      });
    }
  }
}

function roleLine(role: Role): string {
  switch (role) {
    case Role.Follower:
      return 'became follower';
    case Role.PreCandidate:
      return 'pre-vote started';
    case Role.Candidate:
      return 'election started';
    case Role.Leader:
      return 'became leader';
  }
}
