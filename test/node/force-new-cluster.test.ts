/** What is put into the log of a last survivor, and what stays there. */

import t, { type Test } from 'tap';
import { type Configuration, type Entry, EntryType, MemberGoal } from '../../include/node.ts';
import { decodeConfiguration, encodeConfiguration } from '../../src/configuration.ts';
import { createSystemDisk } from '../../src/node/disk.ts';
import { forceNewCluster } from '../../src/node/force-new-cluster.ts';
import type { Recovered } from '../../src/node/wal/recover.ts';
import { openWal, type Wal } from '../../src/node/wal/wal.ts';

const MEMBERS = [0, 1, 2].map((id) => ({
  ...{ id, name: `m${id}`, address: '127.0.0.1', port: 7_000 + id },
  ...{ clientPort: undefined, goal: MemberGoal.Voter },
}));
const ROSTER = { nextId: 3, members: MEMBERS };
const THREE: Configuration = { voters: [0, 1, 2], outgoing: [], learners: [], roster: ROSTER };
const write = (index: number, term: number): Entry => ({
  ...{ index, term, type: EntryType.Command, data: Buffer.from([index]) },
});

function open(directory: string): { wal: Wal; recovered: Recovered } {
  return openWal({
    ...{ clusterId: 1n, nodeId: 1, disk: createSystemDisk(), directory, mayCreate: true },
    initial: { index: 0, term: 0, configuration: THREE },
    randomBelow: () => 1,
    onSynced: () => {},
    onFatal: (fault) => t.fail(fault.message),
  });
}

/** A log whose last entries are not known to be committed, and what force leaves. */
async function force(t: Test, more: readonly Entry[] = []): Promise<Recovered> {
  const directory = t.testdir();
  const first = open(directory);
  const entries = [write(1, 4), write(2, 4), write(3, 5), ...more];
  first.wal.append({ term: 6, vote: 2, commit: 1 }, entries, true);
  await new Promise<void>((done) => first.wal.close(done));

  const { wal, recovered } = open(directory);
  const forced = forceNewCluster({ id: 1, roster: ROSTER }, recovered, wal);
  await new Promise<void>((done) => wal.close(done));
  const again = open(directory);
  t.strictSame(again.recovered.entries, forced.entries, 'it is in the log');
  t.equal(again.recovered.hardState.term, forced.hardState.term);
  const twice = forceNewCluster({ id: 1, roster: ROSTER }, again.recovered, again.wal);
  t.equal(twice, again.recovered, 'once is enough');
  await new Promise<void>((done) => again.wal.close(done));
  return forced;
}

t.test('what may be committed stays, and the others are removed in a later term', async (t) => {
  const { entries, hardState } = await force(t);
  t.strictSame(
    entries.map(({ index, term }) => [index, term]),
    [
      [1, 4],
      [2, 4],
      [3, 5],
      [4, 7],
    ],
  );
  t.equal(hardState.term, 7);
  t.strictSame(decodeConfiguration(entries[3]!.data), {
    voters: [1],
    outgoing: [],
    learners: [],
    roster: { nextId: 3, members: [MEMBERS[1]] },
  });
});

t.test('a change of members that was under way is over', async (t) => {
  const joint: Configuration = { ...THREE, voters: [0, 2], outgoing: [0, 1, 2] };
  const data = encodeConfiguration(joint);
  const { entries } = await force(t, [{ index: 4, term: 6, type: EntryType.Configuration, data }]);
  t.match(decodeConfiguration(entries[4]!.data), { voters: [1], outgoing: [] });
});

t.test('a node that is no member is refused', async (t) => {
  const { wal, recovered } = open(t.testdir());
  const roster = { nextId: 9, members: [] };
  t.throws(() => forceNewCluster({ id: 8, roster }, recovered, wal), /node 8 is no member/);
  await new Promise<void>((done) => wal.close(done));
});
