/**
 * The last survivor of a cluster becomes a cluster of one: a configuration without the others goes
 * into its log, in a term above all that it has seen.
 *
 * What its log holds stays, also what it does not know to be committed: acknowledged writes may be
 * among that (etcd throws it away). The others count as removed: one that comes back is refused,
 * and stops. What only they had is lost.
 */

import {
  type Configuration,
  type Entry,
  EntryType,
  FaultKind,
  type HardState,
  MemberGoal,
  NO_NODE,
  NodeFault,
  type NodeId,
  type Roster,
} from '../../include/node.ts';
import { encodeConfiguration } from '../configuration.ts';
import { createConfigurations, newestOf } from './raft/configurations.ts';
import { recordOf } from './roster.ts';
import type { Recovered } from './wal/recover.ts';
import type { Wal } from './wal/wal.ts';

/** Who survived. */
export type Survivor = {
  readonly id: NodeId;
  /** What is known of the members while no configuration says it. */
  readonly roster: Roster;
};

/**
 * Puts the configuration into the log, unless the member is alone already.
 *
 * @returns what the log holds then; its newest part is synced before anything rests on it
 * @throws NodeFault when the log does not know the member
 */
export function forceNewCluster(
  { id, roster: known }: Survivor,
  recovered: Recovered,
  wal: Wal,
): Recovered {
  const { snapshot, entries } = recovered;
  const placed = createConfigurations(snapshot.index, snapshot.configuration, entries);
  const { configuration } = newestOf(placed);
  const roster = configuration.roster ?? known;
  const self = recordOf(roster, id);
  if (self === undefined) {
    const remedy = 'start the survivor whose directory this is';
    throw new NodeFault(FaultKind.MemberRemoved, `node ${id} is no member`, { path: '', remedy });
  }
  const alone: Configuration = {
    voters: [id],
    outgoing: [],
    learners: [],
    roster: { nextId: roster.nextId, members: [{ ...self, goal: MemberGoal.Voter }] },
  };
  const data = encodeConfiguration(alone);
  if (data.equals(encodeConfiguration(configuration))) return recovered;

  const term = recovered.hardState.term + 1;
  const index = snapshot.index + entries.length + 1;
  const entry: Entry = { index, term, type: EntryType.Configuration, data };
  const hardState: HardState = { ...recovered.hardState, term, vote: NO_NODE };
  wal.append(hardState, [entry], true);
  return { ...recovered, hardState, entries: [...entries, entry] };
}
