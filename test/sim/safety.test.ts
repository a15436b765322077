/** What the simulator takes for a broken promise of a leader, and what it does not. */

import t from 'tap';
import { type Entry, EntryType, Role } from '../../include/node.ts';
import { createRaft, type Raft } from '../../src/node/raft/raft.ts';
import { Safety } from './safety.ts';
import { Tally } from './tally.ts';

const CONFIGURATION = { voters: [0, 1, 2], outgoing: [], learners: [] };

/** A member that leads in a term, with entries of these terms, so many of them committed. */
function leaderWith(id: number, term: number, terms: readonly number[], commit: number): Raft {
  const entries = terms.map(
    (of, slot): Entry => ({
      index: slot + 1,
      term: of,
      type: EntryType.Command,
      data: Buffer.from('x'),
    }),
  );
  const raft = createRaft({
    id,
    snapshot: { index: 0, term: 0, configuration: CONFIGURATION },
    hardState: { term, vote: id, commit },
    entries,
    applied: 0,
    heartbeatTicks: 1,
    electionTicks: 10,
    lostLeaderStaggerTicks: 0,
    appendBytesMax: 1_000,
    inflightMessagesMax: 10,
    inflightBytesMax: 1_000,
    uncommittedBytesMax: 1_000,
    randomBelow: () => 0,
  });
  raft.role = Role.Leader;
  return raft;
}

t.test('a leader has all that was committed in earlier terms', async (t) => {
  const safety = new Safety(CONFIGURATION, new Tally(), false);
  safety.look(safety.watch(leaderWith(0, 10, [1, 10], 2)));

  await t.test('one that learns late that it was elected may lack what followed', async (t) => {
    t.doesNotThrow(() => safety.look(safety.watch(leaderWith(1, 9, [1], 0))));
  });

  await t.test('one of a later term may not', async (t) => {
    const look = (): void => safety.look(safety.watch(leaderWith(2, 11, [1], 0)));
    t.throws(look, { message: /^a leader has all that is committed/ });
  });

  await t.test('and there is one a term', async (t) => {
    const look = (): void => safety.look(safety.watch(leaderWith(2, 10, [1, 10], 2)));
    t.throws(look, { message: /^one leader a term/ });
  });
});
