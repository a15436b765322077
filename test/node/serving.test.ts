import t from 'tap';
import {
  CompareResult,
  CompareTarget,
  type DeleteRangeRequest,
  NO_RANGE_END,
  OpKind,
  type PutRequest,
  type RangeRequest,
  SortOrder,
  SortTarget,
  type TxnRequest,
  type WatchRequest,
} from '../../include/kvstore.ts';
import { EntryType } from '../../include/node.ts';
import { type Command, ErrorCode, FrameType } from '../../include/rpc.ts';
import { createSystemClock } from '../../src/clock.ts';
import type { Asker } from '../../src/node/asker.ts';
import { propose } from '../../src/node/raft/raft.ts';
import { encodeCommand } from '../../src/rpc/command-codec.ts';
import { LoneMember } from './lone-member.ts';

const RANGE: RangeRequest = {
  key: Buffer.from('a'),
  rangeEnd: NO_RANGE_END,
  limit: 0,
  revision: 0,
  sortOrder: SortOrder.None,
  sortTarget: SortTarget.Key,
  serializable: false,
  keysOnly: false,
  countOnly: false,
  minModRevision: 0,
  maxModRevision: 0,
  minCreateRevision: 0,
  maxCreateRevision: 0,
  pageBytes: 0,
  uncounted: false,
};

const WATCH: WatchRequest = {
  key: Buffer.from('a'),
  rangeEnd: NO_RANGE_END,
  startRevision: 0,
  prevKv: false,
  noPut: false,
  noDelete: false,
  progressNotify: false,
};

function putBody(key: string, value: string, lease = 0n): PutRequest {
  const flags = { prevKv: true, ignoreValue: false, ignoreLease: false };
  return { key: Buffer.from(key), value: Buffer.from(value), lease, ...flags };
}

function put(key: string, value: string, lease = 0n) {
  return { type: FrameType.Put, body: putBody(key, value, lease) } as const;
}

function range(key: string) {
  return { type: FrameType.Range, body: { ...RANGE, key: Buffer.from(key) } } as const;
}

function grant(id: bigint, ttlSeconds: number) {
  return { type: FrameType.LeaseGrant, body: { id, ttlSeconds } } as const;
}

function keepAlive(id: bigint) {
  return { type: FrameType.LeaseKeepAlive, body: { id } } as const;
}

function timeToLive(id: bigint) {
  return { type: FrameType.LeaseTimeToLive, body: { id, keys: true } } as const;
}

/** If `key` was never written: put it, else read it. */
function createOrRead(key: string, value: string) {
  const body: TxnRequest = {
    compares: [
      {
        key: Buffer.from(key),
        rangeEnd: NO_RANGE_END,
        result: CompareResult.Equal,
        target: CompareTarget.Create,
        counter: 0,
        value: NO_RANGE_END,
        lease: 0n,
      },
    ],
    success: [{ kind: OpKind.Put, request: putBody(key, value) }],
    failure: [{ kind: OpKind.Range, request: { ...RANGE, key: Buffer.from(key) } }],
  };
  return { type: FrameType.Txn, body } as const;
}

t.test('a transaction is applied as one, and answered by its branch', async (t) => {
  const lone = await LoneMember.start(t);
  const created = await lone.write(createOrRead('a', '1'));
  t.equal(created.succeeded, true);
  t.equal(created.revision, 2);
  const again = await lone.write(createOrRead('a', '2'));
  t.equal(again.succeeded, false);
  const [found] = again.results;
  t.equal(found?.kind === OpKind.Range && found.result.kvs[0]?.value.toString(), '1');
  t.equal(again.revision, 2);
});

t.test('a transaction without writes is a read: it makes no entry of the log', async (t) => {
  const lone = await LoneMember.start(t);
  await lone.write(put('a', '1'));
  const { index } = lone.member.store.applied();
  const body: TxnRequest = {
    compares: [],
    success: [{ kind: OpKind.Range, request: RANGE }],
    failure: [],
  };
  const linearizable = await lone.read({ type: FrameType.Txn, body });
  t.equal(linearizable.results.length, 1);
  const stale = { kind: OpKind.Range, request: { ...RANGE, serializable: true } } as const;
  await lone.read({ type: FrameType.Txn, body: { ...body, success: [stale] } });
  t.equal(lone.member.store.applied().index, index);
});

t.test('a write of a session takes effect once and gives its first answer again', async (t) => {
  const lone = await LoneMember.start(t);
  const open = { type: FrameType.SessionOpen, body: { ttlSeconds: 60 } } as const;
  const { session, ttlSeconds } = await lone.write(open);
  t.equal(ttlSeconds, 60);
  const first = await lone.once(session, 1, put('a', '1'));
  const again = await lone.once(session, 1, put('a', '1'));
  t.equal(again.revision, first.revision);
  t.equal(again.prevKv, undefined);
  const { kvs } = await lone.read(range('a'));
  t.equal(kvs[0]?.version, 1);

  const created = await lone.once(session, 2, createOrRead('b', '1'));
  const repeated = await lone.once(session, 2, createOrRead('b', '1'));
  t.equal(repeated.succeeded, true, 'the second would have failed');
  t.equal(repeated.revision, created.revision);

  await lone.restart();
  t.equal((await lone.once(session, 1, put('a', '1'))).revision, first.revision);
  await lone.once(session, 3, put('a', '2'), 2);
  await t.rejects(lone.once(session, 1, put('a', '1')), { code: ErrorCode.AnswerGiven });
  await t.rejects(lone.once(999, 1, put('a', '1')), { code: ErrorCode.SessionExpired });
});

t.test('every kind of write is remembered by its session with its answer', async (t) => {
  const lone = await LoneMember.start(t);
  const { session } = await lone.write({
    type: FrameType.SessionOpen,
    body: { ttlSeconds: 60 },
  });
  const deletion: DeleteRangeRequest = {
    key: Buffer.from('a'),
    rangeEnd: NO_RANGE_END,
    prevKv: true,
  };
  const commands: Command[] = [
    put('a', '1'),
    put('a', '2'),
    createOrRead('a', '3'),
    grant(0n, 60),
    grant(7n, 60),
    { type: FrameType.LeaseRevoke, body: { id: 7n } },
    { type: FrameType.DeleteRange, body: deletion },
    { type: FrameType.Compact, body: { revision: 2, physical: true } },
  ];
  let sequence = 0;
  for (const command of commands) {
    sequence += 1;
    const first = await lone.once(session, sequence, command);
    await lone.write(put('between', 'x'));
    t.strictSame(await lone.once(session, sequence, command), first);
  }
  const refused = { type: FrameType.LeaseRevoke, body: { id: 7n } } as const;
  for (const _time of [1, 2]) {
    await t.rejects(lone.once(session, 9, refused), { code: ErrorCode.LeaseNotFound });
  }
});

t.test('a number that a session uses for two kinds of write is refused, no more', async (t) => {
  const lone = await LoneMember.start(t);
  const { session } = await lone.write({
    type: FrameType.SessionOpen,
    body: { ttlSeconds: 60 },
  });
  await lone.once(session, 1, put('a', '1'));
  const others: Command[] = [
    createOrRead('b', '1'),
    grant(7n, 60),
    { type: FrameType.DeleteRange, body: { key: RANGE.key, rangeEnd: NO_RANGE_END, prevKv: true } },
  ];
  for (const other of others) {
    await t.rejects(lone.once(session, 1, other), { code: ErrorCode.AnswerGiven });
  }
  t.equal((await lone.read(range('a'))).kvs.length, 1);
});

t.test('a lease is granted, renewed, listed and revoked with its keys', async (t) => {
  const lone = await LoneMember.start(t);
  const granted = await lone.write(grant(0n, 60));
  t.ok(granted.id > 0n);
  t.equal(granted.ttlSeconds, 60);
  t.strictSame((await lone.write(grant(7n, -5))).ttlSeconds, 2, '1.5 elections at least');
  await t.rejects(lone.write(grant(7n, 60)), { code: ErrorCode.LeaseExists });

  await lone.write(put('a', '1', granted.id));
  const left = await lone.read(timeToLive(granted.id));
  t.ok(left.ttlSeconds >= 58 && left.ttlSeconds <= 60);
  t.equal(left.grantedTtlSeconds, 60);
  t.strictSame(left.keys.map(String), ['a']);
  t.equal((await lone.read(keepAlive(granted.id))).ttlSeconds, 60);
  t.strictSame((await lone.leases()).ids, [7n, granted.id]);

  await lone.write({ type: FrameType.LeaseRevoke, body: { id: granted.id } });
  t.equal((await lone.read(range('a'))).kvs.length, 0);
  t.equal((await lone.read(keepAlive(granted.id))).ttlSeconds, 0);
  const gone = await lone.read(timeToLive(granted.id));
  t.equal(gone.ttlSeconds, -1);
  t.equal(gone.grantedTtlSeconds, 0);
});

t.test('a thousand grants without an id get a thousand ids', async (t) => {
  const lone = await LoneMember.start(t);
  const grants = Array.from({ length: 1_000 }, () => lone.write(grant(0n, 60)));
  const ids = new Set((await Promise.all(grants)).map(({ id }) => id));
  t.equal(ids.size, 1_000);
  for (const id of ids) t.ok(id > 0n && id < 2n ** 63n) || t.bailout();
});

t.test('a lease that is not renewed ends with its keys, and a watch sees it', async (t) => {
  const lone = await LoneMember.start(t, { electionMs: 100, heartbeatMs: 10 });
  await lone.write(grant(7n, 1));
  await lone.write(put('a', '1', 7n));
  const watcher = lone.watcher();
  watcher.request(1, { type: FrameType.WatchCreate, body: { ...WATCH, watchId: 5 } });
  t.strictSame(await watcher.heard(2), ['answer 1', '5 delete a @3']);
  t.equal((await lone.read(timeToLive(7n))).ttlSeconds, -1);
});

t.test('a checkpoint is what a new leader counts from, until a renewal clears it', async (t) => {
  const lone = await LoneMember.start(t);
  await lone.write(grant(7n, 1_000));
  const checkpoints = [{ id: 7n, remainingSeconds: 400 }];
  const data = encodeCommand({ type: FrameType.LeaseCheckpoint, body: { checkpoints } });
  propose(lone.member.raft, EntryType.Command, data);
  await lone.write(put('a', '1'));

  await lone.restart();
  const { ttlSeconds } = await lone.read(timeToLive(7n));
  t.ok(ttlSeconds > 300 && ttlSeconds <= 400);
  const { index } = lone.member.store.applied();
  t.equal((await lone.read(keepAlive(7n))).ttlSeconds, 1_000);
  t.equal(lone.member.store.applied().index, index + 1, 'the renewal is in the log');
  t.equal((await lone.read(keepAlive(7n))).ttlSeconds, 1_000);
  t.equal(lone.member.store.applied().index, index + 1, 'the next one need not be');

  await lone.restart();
  t.ok((await lone.read(timeToLive(7n))).ttlSeconds > 900);
});

t.test('what concerns the time of a lease is answered in the term it was asked in', async (t) => {
  const lone = await LoneMember.start(t);
  await lone.write(grant(7n, 60));
  const { serving, raft } = lone.member;
  for (const request of [keepAlive(7n), timeToLive(7n)]) {
    const told: string[] = [];
    const asker: Asker = {
      answer: () => told.push('answered'),
      refuse: (_id, code) => told.push(`refused ${code}`),
      redirect: () => told.push('redirected'),
    };
    serving.answerRead({ asker, id: 1, request, term: raft.term, receivedMs: 0 });
    serving.answerRead({ asker, id: 1, request, term: raft.term - 1, receivedMs: 0 });
    t.strictSame(told, ['answered', `refused ${ErrorCode.NoLeader}`]);
  }
});

t.test('a session that is not used ends, and its writes are refused', async (t) => {
  const lone = await LoneMember.start(t);
  const open = { type: FrameType.SessionOpen, body: { ttlSeconds: 1 } } as const;
  const { session } = await lone.write(open);
  await lone.once(session, 1, put('a', '1'));
  const watcher = lone.watcher();
  watcher.request(1, { type: FrameType.WatchCreate, body: { ...WATCH, watchId: 5 } });
  while (lone.member.store.session(session) !== undefined) await lone.read(range('a'));
  await t.rejects(lone.once(session, 2, put('a', '2')), { code: ErrorCode.SessionExpired });
  await t.rejects(lone.once(session, 1, put('a', '1')), { code: ErrorCode.SessionExpired });
});

t.test('a watch is answered, then told in order, and silent after its cancellation', async (t) => {
  const lone = await LoneMember.start(t);
  await lone.write(put('a', '0'));
  const watcher = lone.watcher();
  const body = { ...WATCH, watchId: 5, startRevision: 2 };
  watcher.request(1, { type: FrameType.WatchCreate, body });
  await lone.write(put('a', '1'));
  await lone.write(put('b', '2'));
  await lone.write(put('a', '3'));
  t.strictSame(await watcher.heard(4), [
    'answer 1',
    '5 put a=0 @2',
    '5 put a=1 @3',
    '5 put a=3 @5',
  ]);
  watcher.request(2, { type: FrameType.WatchCreate, body });
  watcher.request(3, { type: FrameType.WatchProgress });
  t.strictSame((await watcher.heard(6)).slice(4), [`refused ${ErrorCode.WatchExists}`, 'answer 3']);
  watcher.request(4, { type: FrameType.WatchCancel, body: { watchId: 5 } });
  await lone.write(put('a', '4'));
  watcher.request(5, { type: FrameType.WatchCreate, body: { ...WATCH, watchId: 6 } });
  await lone.write(put('a', '5'));
  t.strictSame((await watcher.heard(9)).slice(6), ['answer 4', 'answer 5', '6 put a=5 @7']);
});

t.test(
  'a client that does not read is told nothing until it has, and misses nothing',
  async (t) => {
    const lone = await LoneMember.start(t);
    const watcher = lone.watcher();
    watcher.request(1, { type: FrameType.WatchCreate, body: { ...WATCH, watchId: 5 } });
    watcher.isFull = true;
    for (let i = 0; i < 20; i += 1) await lone.write(put('a', `${i}`));
    t.strictSame(watcher.told, ['answer 1']);
    watcher.isFull = false;
    watcher.watches.drained();
    t.equal((await watcher.heard(21)).at(-1), '5 put a=19 @21');
    watcher.watches.close();
    await lone.write(put('a', 'x'));
    t.equal(watcher.told.length, 21);
  },
);

t.test('a quiet watch that asked for progress is told the revision', async (t) => {
  const lone = await LoneMember.start(t, { watchProgressMs: 20 });
  const watcher = lone.watcher();
  const body = { ...WATCH, watchId: 5, progressNotify: true };
  watcher.request(1, { type: FrameType.WatchCreate, body });
  await lone.write(put('b', '1'));
  while (!watcher.told.includes('5 progress @2')) await watcher.heard(watcher.told.length + 1);
  t.pass();
});

t.test('a watch from a compacted revision ends with the revision to start from', async (t) => {
  const lone = await LoneMember.start(t);
  for (let i = 0; i < 5; i += 1) await lone.write(put('a', `${i}`));
  await lone.write({ type: FrameType.Compact, body: { revision: 4, physical: false } });
  const watcher = lone.watcher();
  const body = { ...WATCH, watchId: 5, startRevision: 2 };
  watcher.request(1, { type: FrameType.WatchCreate, body });
  t.strictSame(await watcher.heard(2), ['answer 1', `5 ended ${ErrorCode.Compacted} @4`]);
});

t.test('a compaction removes at once, not when the log is next trimmed', async (t) => {
  const clock = { ...createSystemClock(), nowMs: () => 0 };
  const lone = await LoneMember.start(t, { clock });
  for (let i = 0; i < 5; i += 1) await lone.write(put('a', `${i}`));
  const reply = await lone.write({
    type: FrameType.Compact,
    body: { revision: 6, physical: true },
  });
  t.equal(reply.revision, 6);
  t.equal(lone.member.store.compactedPhysically(), 6);
});
