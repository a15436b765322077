import t, { type Test } from 'tap';
import { DELETE_AT_ONCE_KEYS_MAX, DELETIONS_MAX, type TxnOp } from '../../include/kvstore.ts';
import { APPLY_SLICE_ENTRIES, APPLY_SLICE_MS, type Entry, EntryType } from '../../include/node.ts';
import {
  type Command,
  type ErrorCode,
  FrameType,
  type LoggedCommand,
  type Reply,
} from '../../include/rpc.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { STORE_LIMITS } from '../../src/kvstore/store-state.ts';
import { Applier } from '../../src/node/applier.ts';
import type { Asker } from '../../src/node/asker.ts';
import { isHeldUp } from '../../src/node/held-up.ts';
import { Lessor, NO_TERM } from '../../src/node/lessor.ts';
import { NodeMetrics } from '../../src/node/node-metrics.ts';
import { Proposals } from '../../src/node/proposals.ts';
import { encodeCommand } from '../../src/rpc/command-codec.ts';
import { createMemoryHome } from '../kvstore/memory-base.ts';
import { delOp, putOf, putOp, rangeOp, txnOf, txnOp } from '../kvstore/store-requests.ts';
import { account, replace } from '../kvstore/watched-store.ts';

const TERM = 3;
const CONFIGURATION = { voters: [0], outgoing: [], learners: [] };

/** An applier on a store in memory, where looking at the clock takes `lookMs`. */
async function createStage(t: Test, lookMs = 0) {
  const store = await openStore(createMemoryHome());
  t.teardown(() => store.close());
  const told: string[] = [];
  const replies: Reply[] = [];
  const proposals = new Proposals();
  let nowMs = 1_000;
  const clock = {
    nowMs: () => {
      nowMs += lookMs;
      return nowMs;
    },
  };
  const metrics = new NodeMetrics();
  const answered: number[] = [];
  const lessor = new Lessor({ store, clock, propose: () => false });
  const applier = new Applier({
    store,
    clock,
    proposals,
    lessor,
    metrics,
    onAnswered: ({ id }) => answered.push(id),
    header: (revision) => ({ clusterId: 1n, nodeId: 0, revision, term: TERM }),
    configurationAt: () => CONFIGURATION,
    onHashCheck: () => {},
    onConfiguration: () => {},
    onLost: ({ id }) => told.push(`${id} lost`),
  });
  const asker: Asker = {
    answer: (id, reply) => {
      told.push(`${id} answered`);
      replies.push(reply);
    },
    refuse: (id, code: ErrorCode) => told.push(`${id} refused ${code}`),
    redirect: (id) => told.push(`${id} redirected`),
  };
  let index = 0;
  /** Commits a command; asked for by a client when `id` is given. */
  const commit = (command: LoggedCommand, id?: number): void => {
    index += 1;
    const data = encodeCommand(command);
    const entry: Entry = { index, term: TERM, type: EntryType.Command, data };
    if (id !== undefined) {
      const proposal = { index, term: TERM, asker, id, command, receivedMs: 0 };
      proposals.add(proposal, () => t.fail('nothing is lost here'));
    }
    applier.add([entry]);
  };
  return { store, lessor, applier, commit, told, replies, metrics, answered };
}

function put(key: string, lease = 0n): LoggedCommand {
  const flags = { lease, prevKv: false, ignoreValue: false, ignoreLease: false };
  return {
    type: FrameType.Put,
    body: { key: Buffer.from(key), value: Buffer.from('v'), ...flags },
  };
}

t.test('a slice ends after so many entries', async (t) => {
  const { applier, commit } = await createStage(t);
  for (let i = 0; i < APPLY_SLICE_ENTRIES + 10; i += 1) commit(put(`k${i}`));
  applier.run();
  t.equal(applier.backlog, 10);
  t.ok(applier.canRun);
  applier.run();
  t.equal(applier.backlog, 0);
  t.notOk(applier.canRun);
});

t.test('a slice ends after so much time, with one entry applied at least', async (t) => {
  const { applier, commit, store } = await createStage(t, APPLY_SLICE_MS);
  for (let i = 0; i < 10; i += 1) commit(put(`k${i}`));
  applier.run();
  t.equal(applier.backlog, 9);
  t.equal(store.applied().index, 1);
});

t.test('leases that end in an entry, and those granted in one, reach the lessor', async (t) => {
  const { applier, commit, lessor, store } = await createStage(t);
  lessor.follow(TERM);
  for (const id of [1n, 2n, 3n]) {
    commit({ type: FrameType.LeaseGrant, body: { id, ttlSeconds: 10 } });
  }
  commit({ type: FrameType.SessionOpen, body: { ttlSeconds: 10 } });
  applier.run();
  t.equal(lessor.count, 4);
  commit({ type: FrameType.LeaseRevoke, body: { id: 1n } });
  const leases = [
    { id: 2n, grantIndex: 2 },
    { id: 3n, grantIndex: 99 },
  ];
  const sessions = [{ session: 4, lastIndex: 4 }];
  commit({ type: FrameType.Expire, body: { leases, sessions } });
  applier.run();
  t.equal(lessor.count, 1, 'the lease of another grant stays');
  t.equal(store.lease(3n)?.id, 3n);
});

t.test('a renewal that waited for its checkpoint is answered when that is cleared', async (t) => {
  const { applier, commit, lessor, told, replies } = await createStage(t);
  lessor.follow(TERM);
  commit({ type: FrameType.LeaseGrant, body: { id: 7n, ttlSeconds: 1_000 } });
  const checkpoints = [{ id: 7n, remainingSeconds: 0 }];
  commit({ type: FrameType.LeaseCheckpoint, body: { checkpoints } }, 5);
  applier.run();
  t.strictSame(told, ['5 answered']);
  t.match(replies, [{ type: FrameType.LeaseKeepAlive, body: { id: 7n, ttlSeconds: 1_000 } }]);
});

t.test('a renewal is not answered by who lost leadership meanwhile', async (t) => {
  const { applier, commit, lessor, told } = await createStage(t);
  lessor.follow(TERM);
  commit({ type: FrameType.LeaseGrant, body: { id: 7n, ttlSeconds: 1_000 } });
  const checkpoints = [{ id: 7n, remainingSeconds: 0 }];
  commit({ type: FrameType.LeaseCheckpoint, body: { checkpoints } }, 5);
  lessor.follow(NO_TERM);
  applier.run();
  t.strictSame(told, ['5 lost'], 'a time of 0 would say that the lease is gone');
});

/** A stage with `count` keys under big/, more than are deleted at once. */
async function createLargeStage(t: Test) {
  const stage = await createStage(t);
  const count = DELETE_AT_ONCE_KEYS_MAX + 200;
  for (let number = 0; number < count; number += 1) stage.commit(put(`big/${number}`));
  while (stage.applier.canRun) stage.applier.run();
  return { ...stage, count };
}

function deletion(from: string, end: string) {
  const [key, rangeEnd] = [Buffer.from(from), Buffer.from(end)];
  return { type: FrameType.DeleteRange, body: { key, rangeEnd, prevKv: false } } as const;
}

t.test('a large deletion is answered when it has ended, others go on meanwhile', async (t) => {
  const { applier, commit, told, replies, store, count } = await createLargeStage(t);
  commit(deletion('big/', 'big0'), 1);
  commit(put('other'), 2);
  applier.run();
  t.strictSame(told, ['2 answered']);
  t.equal(store.deletions.count(), 1);
  while (applier.deleteStep()) t.strictSame(told, ['2 answered']);
  t.strictSame(told, ['2 answered', '1 answered']);
  t.match(replies[1], { type: FrameType.DeleteRange, body: { deleted: count } });
});

t.test('what would write its keys waits, and all behind it', async (t) => {
  const { applier, commit, told, store } = await createLargeStage(t);
  commit(deletion('big/', 'big0'), 1);
  commit(put('big/7'), 2);
  commit(put('other'), 3);
  applier.run();
  t.strictSame(told, []);
  t.equal(applier.backlog, 2);
  t.notOk(applier.canRun, 'nobody asks in vain');
  while (applier.deleteStep());
  applier.run();
  t.strictSame(told, ['1 answered', '2 answered', '3 answered']);
  t.equal(store.deletions.count(), 0);
});

t.test('a deletion sent again while it is under way is answered with the first', async (t) => {
  const { applier, commit, told, replies, store, count } = await createLargeStage(t);
  commit({ type: FrameType.SessionOpen, body: { ttlSeconds: 60 } });
  applier.run();
  const session = store.applied().index;
  const command = deletion('big/', 'big0');
  const once = { mark: { session, sequence: 1, acknowledged: 0 }, command };
  commit({ type: FrameType.Once, ...once }, 1);
  commit({ type: FrameType.Once, ...once }, 2);
  commit(put('other'), 3);
  applier.run();
  t.strictSame(told, ['3 answered'], 'nobody waits behind what writes nothing');
  const { revision } = replies[0]!.body;
  while (applier.deleteStep());
  t.strictSame(told, ['3 answered', '1 answered', '2 answered']);
  const body = { deleted: count, revision: revision - 1 };
  t.match(replies.slice(1), [{ body }, { body }]);
  commit({ type: FrameType.Once, ...once }, 4);
  applier.run();
  t.match(replies[3], { body });
});

t.test('who waits for a deletion that a snapshot brought to its end asks again', async (t) => {
  const { applier, commit, told, store } = await createLargeStage(t);
  const ahead = await openStore(createMemoryHome());
  t.teardown(() => ahead.close());
  await replace(ahead, store);
  commit(deletion('big/', 'big0'), 1);
  applier.run();
  ahead.deleteRange(deletion('big/', 'big0').body);
  for (let entries = 0; entries < 2; entries += 1) account(ahead);
  while (ahead.deletions.step());
  await replace(store, ahead);
  applier.clear();
  applier.replaced();
  t.strictSame(told, ['1 lost']);
});

function txn(success: readonly TxnOp[], failure: readonly TxnOp[] = []): LoggedCommand {
  return { type: FrameType.Txn, body: txnOf([], success, failure) };
}

function expiry(...ids: readonly bigint[]): LoggedCommand {
  const leases = ids.map((id) => ({ id, grantIndex: 1 }));
  return { type: FrameType.Expire, body: { leases, sessions: [] } };
}

function isWrite(command: LoggedCommand): command is Command {
  const { type } = command;
  const isOther = type === FrameType.Expire || type === FrameType.LeaseCheckpoint;
  return !isOther && type !== FrameType.Once;
}

const held: readonly (readonly [string, LoggedCommand, boolean])[] = [
  ['a put of a key in it', put('big/x'), true],
  ['a put of another', put('c'), false],
  ['a deletion that overlaps', deletion('a', 'big/1'), true],
  ['one that does not', deletion('c', 'd'), false],
  ['a transaction that may put one', txn([], [putOp('big/x')]), true],
  ['one that does in another', txn([txnOp([], [putOp('big/x')])]), true],
  ['one that deletes one', txn([delOp('big/x')]), true],
  ['one that reads them', txn([rangeOp('big/', 'big0'), putOp('c')]), false],
  ['the end of a lease they hang on', { type: FrameType.LeaseRevoke, body: { id: 1n } }, true],
  ['that of another', { type: FrameType.LeaseRevoke, body: { id: 2n } }, false],
  ['its expiry', expiry(2n, 1n), true],
  ['another expiry', expiry(2n), false],
  ['a grant', { type: FrameType.LeaseGrant, body: { id: 9n, ttlSeconds: 9 } }, false],
  ['a checkpoint', { type: FrameType.LeaseCheckpoint, body: { checkpoints: [] } }, false],
  ['a session', { type: FrameType.SessionOpen, body: { ttlSeconds: 9 } }, false],
  ['a compaction', { type: FrameType.Compact, body: { revision: 9, physical: false } }, false],
];

t.test('what a deletion under way holds up', async (t) => {
  const { applier, commit, store } = await createLargeStage(t);
  for (const id of [1n, 2n]) {
    commit({ type: FrameType.LeaseGrant, body: { id, ttlSeconds: 9 } });
    commit(put(id === 1n ? 'big/leased' : 'leased', id));
  }
  commit({ type: FrameType.SessionOpen, body: { ttlSeconds: 60 } });
  applier.run();
  for (const [name, command] of held) t.notOk(isHeldUp(store, command), `${name}, before`);
  const session = store.applied().index;
  commit(deletion('big/', 'big0'));
  applier.run();
  for (const [name, command, expected] of held) {
    t.equal(isHeldUp(store, command), expected, name);
    if (!isWrite(command)) continue;
    const mark = { session, sequence: 1, acknowledged: 0 };
    t.equal(isHeldUp(store, { type: FrameType.Once, mark, command }), expected, `once: ${name}`);
  }
});

t.test('further large deletions wait when there are many', async (t) => {
  const store = await openStore(createMemoryHome(), { ...STORE_LIMITS, deleteAtOnceKeysMax: 1 });
  t.teardown(() => store.close());
  for (let number = 0; number <= DELETIONS_MAX; number += 1) {
    for (const name of ['a', 'b']) {
      store.put(putOf(`${String(number).padStart(2, '0')}${name}`, 'v'));
      account(store);
    }
  }
  for (let number = 0; number <= DELETIONS_MAX; number += 1) {
    const command = deletion(String(number).padStart(2, '0'), String(number + 1).padStart(2, '0'));
    t.equal(isHeldUp(store, command), number === DELETIONS_MAX);
    t.equal(isHeldUp(store, expiry()), number === DELETIONS_MAX);
    t.notOk(isHeldUp(store, put('x')));
    if (number === DELETIONS_MAX) break;
    store.deleteRange(command.body);
    account(store);
  }
});
