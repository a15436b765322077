/** The surface of the core: what a Ready promises, the limits, and what others may read. */

import t from 'tap';
import {
  COMMITTED_BYTES_MAX,
  ENTRY_OVERHEAD_BYTES,
  EntryType,
  HASTY_CAMPAIGNS_MAX,
  MessageType,
  NO_ENTRIES,
  NO_NODE,
  ProposeResult,
  READS_WAITING_MAX,
  Role,
} from '../../include/node.ts';
import { compactTo } from '../../src/node/raft/compact.ts';
import type { Raft } from '../../src/node/raft/raft.ts';
import {
  checkRaft,
  commitIndex,
  compact,
  createRaft,
  hasReady,
  isLeader,
  lastIndex,
  leaderOf,
  peerLost,
  persisted,
  propose,
  raftStatus,
  readIndex,
  ready,
  snapshotSent,
  startIndex,
  step,
  termOf,
  tick,
} from '../../src/node/raft/raft.ts';
import type { ClusterSettings, Member } from './cluster.ts';
import { createCluster, DEFAULT_SETTINGS, memberOf, syncMember, takeReady } from './cluster.ts';

const ALONE = { voters: [1], outgoing: [], learners: [] };
const THREE = { voters: [1, 2, 3], outgoing: [], learners: [] };

/** A leader of a cluster of one, at rest. */
function leaderAlone(settings: Partial<ClusterSettings>): Member {
  const cluster = createCluster(ALONE, { ...DEFAULT_SETTINGS, ...settings });
  const member = memberOf(cluster, 1);
  while (member.raft.leader === NO_NODE) {
    tick(member.raft);
    rest(member);
  }
  return member;

  function rest(member: Member): void {
    while (hasReady(member.raft)) {
      takeReady(cluster, member);
      syncMember(cluster, member, member.unsynced.length);
    }
  }
}

/** A core of three members that has heard of nobody. */
function follower(settings: Partial<ClusterSettings>): Raft {
  const cluster = createCluster(THREE, { ...DEFAULT_SETTINGS, ...settings });
  return memberOf(cluster, 1).raft;
}

function command(sizeBytes: number): Buffer {
  return Buffer.alloc(sizeBytes, 'x');
}

t.test('a core at rest has no Ready, and an idle Ready is always the same object', async (t) => {
  const { raft } = leaderAlone({});
  t.notOk(hasReady(raft));
  t.equal(ready(raft), ready(raft));
  t.equal(ready(raft).writeNumber, 0);
});

t.test('the arrays of a Ready are not touched by what happens next', async (t) => {
  const { raft } = leaderAlone({});
  propose(raft, EntryType.Command, command(1));
  const output = ready(raft);
  t.equal(output.entries.length, 1);
  propose(raft, EntryType.Command, command(1));
  ready(raft);
  t.equal(output.entries.length, 1);
});

t.test('an entry carries the very buffer that was proposed', async (t) => {
  const { raft } = leaderAlone({});
  const data = command(9);
  propose(raft, EntryType.Command, data);
  t.equal(ready(raft).entries[0]?.data, data);
});

t.test('a follower keeps the very entries that it was sent', async (t) => {
  const raft = follower({});
  const entry = { index: 1, term: 1, type: EntryType.Command, data: command(3) };
  step(raft, {
    type: MessageType.Append,
    from: 2,
    to: 1,
    term: 1,
    index: 0,
    logTerm: 0,
    commit: 0,
    context: 0,
    reject: false,
    hint: 0,
    entries: [entry],
  });
  t.equal(ready(raft).entries[0], entry);
});

t.test('committed entries come in bounded batches, in order, each once', async (t) => {
  const { raft } = leaderAlone({ uncommittedBytesMax: 64 * 1024 * 1024 });
  const sizeBytes = 1024 * 1024;
  for (let i = 0; i < 10; i += 1) propose(raft, EntryType.Command, command(sizeBytes));
  persisted(raft, ready(raft).writeNumber);
  const indexes: number[] = [];
  let batches = 0;
  while (hasReady(raft)) {
    const { committed } = ready(raft);
    if (committed.length === 0) continue;
    batches += 1;
    const total = committed.reduce((sum, e) => sum + e.data.length + ENTRY_OVERHEAD_BYTES, 0);
    t.ok(total <= COMMITTED_BYTES_MAX, `${total} bytes`);
    indexes.push(...committed.map(({ index }) => index));
  }
  t.strictSame(indexes, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  t.equal(batches, 4);
});

t.test('a committed entry larger than a batch comes alone', async (t) => {
  const { raft } = leaderAlone({});
  propose(raft, EntryType.Command, command(COMMITTED_BYTES_MAX + 1));
  persisted(raft, ready(raft).writeNumber);
  t.equal(ready(raft).committed.length, 1);
});

t.test('proposals are refused at the byte limit, not one byte before', async (t) => {
  for (const [slack, expected] of [
    [0, ProposeResult.Accepted],
    [1, ProposeResult.Full],
  ] as const) {
    const { raft } = leaderAlone({ uncommittedBytesMax: 1_000 });
    propose(raft, EntryType.Command, command(500));
    const rest = 1_000 - 500 - 2 * ENTRY_OVERHEAD_BYTES;
    t.equal(propose(raft, EntryType.Command, command(rest + slack)), expected);
  }
});

t.test('an accepted proposal is at the last index in the current term', async (t) => {
  const { raft } = leaderAlone({});
  propose(raft, EntryType.Command, command(1));
  const [entry] = ready(raft).entries;
  t.equal(entry?.index, lastIndex(raft));
  t.equal(entry?.term, termOf(raft));
});

t.test('reads are refused at their limit, not one before', async (t) => {
  const { raft } = leaderAlone({});
  for (let id = 1; id <= READS_WAITING_MAX; id += 1) readIndex(raft, id);
  readIndex(raft, READS_WAITING_MAX + 1);
  const output = ready(raft);
  t.strictSame(output.readsRefused, [READS_WAITING_MAX + 1]);
  t.equal(output.reads.length, READS_WAITING_MAX);
});

t.test('reads of others are refused at the limit too', async (t) => {
  const { raft } = leaderAlone({});
  const asked = { index: 0, logTerm: 0, commit: 0, reject: false, hint: 0, entries: NO_ENTRIES };
  // A learner joins, so that somebody else may ask.
  const progress = raft.progress.get(1)!;
  raft.progress.set(2, { ...progress, id: 2, isLearner: true });
  for (let id = 1; id <= READS_WAITING_MAX; id += 1) readIndex(raft, id);
  const { term } = raft;
  step(raft, { type: MessageType.ReadIndex, from: 2, to: 1, term, context: 5, ...asked });
  const [reply] = ready(raft).messages;
  t.match(reply, { type: MessageType.ReadIndexReply, to: 2, context: 5, reject: true });
});

t.test('a hinted election is hasty a bounded number of times', async (t) => {
  const raft = follower({ electionTicks: 1_000, lostLeaderStaggerTicks: 2 });
  const heartbeat = {
    type: MessageType.Heartbeat,
    from: 2,
    to: 1,
    term: 1,
    index: 0,
    logTerm: 0,
    commit: 0,
    context: 0,
    reject: false,
    hint: 0,
    entries: NO_ENTRIES,
  };
  step(raft, heartbeat);
  peerLost(raft, 2);
  ready(raft);
  let campaigns = 1;
  for (let i = 0; i < 900; i += 1) {
    tick(raft);
    campaigns += ready(raft).events.filter((event) => event.kind === 'role').length;
  }
  t.equal(campaigns, HASTY_CAMPAIGNS_MAX);
});

t.test('a hint about a stranger or oneself is nothing', async (t) => {
  const { raft } = leaderAlone({});
  peerLost(raft, 1);
  peerLost(raft, 9);
  snapshotSent(raft, 9, true, 1);
  t.notOk(hasReady(raft));
  t.equal(raft.lostPeers.size, 0);
});

t.test('compaction keeps what is not applied, not committed or not on disk', async (t) => {
  const { raft } = leaderAlone({});
  propose(raft, EntryType.Command, command(10));
  propose(raft, EntryType.Command, command(10));
  const { writeNumber } = ready(raft);
  compact(raft, 99);
  t.equal(startIndex(raft), 1);
  persisted(raft, writeNumber);
  compact(raft, 99);
  t.equal(startIndex(raft), 1, 'committed, and not yet handed out');
  ready(raft);
  compact(raft, 2);
  t.equal(startIndex(raft), 2);
  compact(raft, 1);
  t.equal(startIndex(raft), 2);
  checkRaft(raft);
});

t.test('compaction to limits drops the oldest entries until both hold', async (t) => {
  const sizeBytes = 100;
  const each = sizeBytes + ENTRY_OVERHEAD_BYTES;
  for (const [entriesMax, bytesMax, kept] of [
    [3, 1e9, 3],
    [100, each * 4, 4],
    [100, each * 4 - 1, 3],
    [0, 0, 0],
    [100, 1e9, 11],
  ] as const) {
    const { raft } = leaderAlone({ uncommittedBytesMax: 1e6 });
    for (let i = 0; i < 10; i += 1) propose(raft, EntryType.Command, command(sizeBytes));
    persisted(raft, ready(raft).writeNumber);
    ready(raft);
    const limits = { entriesMax, bytesMax, catchUpBytesMax: 0 };
    compactTo(raft, limits, lastIndex(raft));
    t.equal(raftStatus(raft).logEntries, kept, `${entriesMax} entries, ${bytesMax} bytes`);
    checkRaft(raft);
  }
});

t.test('a write may be confirmed late, together and twice, but not before it began', async (t) => {
  const { raft } = leaderAlone({});
  propose(raft, EntryType.Command, command(1));
  const first = ready(raft).writeNumber;
  propose(raft, EntryType.Command, command(1));
  const second = ready(raft).writeNumber;
  t.equal(second, first + 1);
  persisted(raft, second);
  persisted(raft, first);
  t.equal(commitIndex(raft), 3);
  t.throws(() => persisted(raft, second + 1), { name: 'AssertionError' });
});

t.test('a status tells what the getters tell', async (t) => {
  const { raft } = leaderAlone({});
  const status = raftStatus(raft);
  t.match(status, {
    id: 1,
    role: Role.Leader,
    isLearner: false,
    leader: leaderOf(raft),
    term: termOf(raft),
    lastIndex: lastIndex(raft),
    commitIndex: commitIndex(raft),
    startIndex: startIndex(raft),
    progress: [],
  });
  t.ok(isLeader(raft));
  t.strictSame(raftStatus(follower({})).progress, []);
});

t.test('options that cannot work are refused', async (t) => {
  const options = {
    ...DEFAULT_SETTINGS,
    id: 1,
    snapshot: { index: 0, term: 0, configuration: THREE },
    hardState: { term: 0, vote: NO_NODE, commit: 0 },
    entries: [],
    applied: 0,
    randomBelow: () => 0,
  };
  createRaft(options);
  const wrong = [
    { id: -1 },
    { heartbeatTicks: 0 },
    { electionTicks: 2 },
    { lostLeaderStaggerTicks: -1 },
    { appendBytesMax: 0 },
    { uncommittedBytesMax: 0 },
    { inflightMessagesMax: 0 },
    { inflightBytesMax: 0 },
    { hardState: { term: -1, vote: NO_NODE, commit: 0 } },
    { hardState: { term: 2 ** 50, vote: NO_NODE, commit: 0 } },
  ];
  for (const change of wrong) {
    const name = JSON.stringify(change);
    t.throws(() => createRaft({ ...options, ...change }), { name: 'AssertionError' }, name);
  }
});

t.test('the check of a core finds what is wrong', async (t) => {
  const faults: readonly ((raft: Raft) => void)[] = [
    (raft) => {
      raft.leader = 2;
    },
    (raft) => {
      raft.uncommittedBytes += 1;
    },
    (raft) => {
      raft.writes.persistedIndex = 99;
    },
    (raft) => {
      raft.term = 0;
    },
    (raft) => {
      raft.vote = NO_NODE;
    },
    (raft) => {
      raft.role = Role.Follower;
    },
    (raft) => {
      raft.progress.delete(1);
    },
    (raft) => {
      raft.progress.get(1)!.match = 99;
    },
  ];
  for (const fault of faults) {
    const { raft } = leaderAlone({});
    checkRaft(raft);
    fault(raft);
    t.throws(() => checkRaft(raft), { name: 'AssertionError' }, fault.toString());
  }
});
