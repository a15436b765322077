/** Deliberate faults that only show while the members change, and where they show soon. */

import { Role } from '../../include/node.ts';
import type { Scenario } from './run.ts';
import type { NodeSabotage } from './sim-node.ts';

/** Members change all the time, slowly, and are parted in the midst of it, often for a term. */
export const MEMBERS_CHANGE: Scenario = {
  plan: {
    nodeCount: 3,
    spareCount: 3,
    changePauseMs: 1_000,
    faultPauseMs: 1_000,
    climate: {
      latencyMs: 10,
      jitterMs: 5,
      isFrameWise: false,
      lostPermille: 0,
      doubledPermille: 0,
      sendBufferBytes: 64_000,
    },
    heartbeatMs: 50,
    electionMs: 400,
    diskMs: 5,
  },
  faults: ['ambushing partition', 'partition'],
};

/** Every fault, by what goes wrong. */
export const MEMBERSHIP_MUTATIONS: ReadonlyMap<string, NodeSabotage> = new Map<
  string,
  NodeSabotage
>([
  [
    'a joint configuration commits by the majority of its new voters only',
    {
      settled: ({ member: { raft } }) => {
        raft.outgoing = raft.outgoing.map((one) => ({ ...one, match: Number.POSITIVE_INFINITY }));
      },
    },
  ],
  [
    'a candidate takes the votes of leaving members for granted',
    {
      settled: ({ member: { raft } }) => {
        if (raft.role !== Role.Candidate) return;
        for (const { id } of raft.outgoing) raft.votes.set(id, true);
      },
    },
  ],
  [
    'a snapshot says that the members are those of nodes.conf',
    {
      started: ({ member }) => {
        const { members } = member.options.roster;
        if (members.length === 0) return;
        const voters = members.map(({ id }) => id);
        const arrived = member.snapshotArrived.bind(member);
        member.snapshotArrived = (from, meta) =>
          arrived(from, { ...meta, configuration: { voters, outgoing: [], learners: [] } });
      },
    },
  ],
]);
