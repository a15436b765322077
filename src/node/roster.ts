/**
 * What is known of members: of a configuration that has a roster that one, else what the node was
 * started with (nodes.conf), which is also where the first roster of a cluster comes from.
 */

import {
  type Configuration,
  MemberGoal,
  type MemberRecord,
  type NodeConfig,
  type NodeId,
  type Roster,
} from '../../include/node.ts';

/** The configuration that nodes.conf gives a new cluster. */
export function firstConfiguration(nodes: readonly NodeConfig[]): Configuration {
  const idsOf = (role: NodeConfig['role']): NodeId[] =>
    nodes.filter((node) => node.role === role).map(({ id }) => id);
  const lists = { voters: idsOf('voter'), outgoing: [], learners: idsOf('learner') };
  return nodes.length === 0 ? lists : { ...lists, roster: rosterOfNodes(nodes) };
}

/** What nodes.conf says of the members; who has no name is named by its id. */
export function rosterOfNodes(nodes: readonly NodeConfig[]): Roster {
  const members = nodes.map(
    ({ id, name = `node-${id}`, address, port, clientPort, role }): MemberRecord => ({
      id,
      name,
      address,
      port,
      clientPort,
      goal: role === 'learner' ? MemberGoal.Learner : MemberGoal.Voter,
    }),
  );
  const nextId = members.reduce((next, { id }) => Math.max(next, id + 1), 0);
  return { nextId, members };
}

/** The record of a member. */
export function recordOf(roster: Roster, id: NodeId): MemberRecord | undefined {
  return roster.members.find((member) => member.id === id);
}

/** Whether a node was a member and is none any more; who is newer than the roster was not. */
export function wasRemoved({ roster }: Configuration, id: NodeId): boolean {
  if (roster === undefined || id >= roster.nextId) return false;
  return recordOf(roster, id) === undefined;
}
