/** Alarms of a member: raised by a full store, kept, disarmed, and what they refuse. */

import t from 'tap';
import {
  AlarmAction,
  AlarmKind,
  type DeleteRangeRequest,
  OpKind,
  type PutRequest,
  type TxnOp,
} from '../../include/kvstore.ts';
import { type Command, ErrorCode, FrameType } from '../../include/rpc.ts';
import { nextTick } from '../cluster/processes.ts';
import { LoneMember } from './lone-member.ts';

t.setTimeout(240_000);

const NO_BYTES = Buffer.alloc(0);
const VALUE = Buffer.alloc(100_000, 'v');

/** Above what an empty store takes. */
const QUOTA_BYTES = 1_000_000;

function putOf(key: string, value = VALUE): PutRequest {
  const flags = { prevKv: false, ignoreValue: false, ignoreLease: false };
  return { key: Buffer.from(key), value, lease: 0n, ...flags };
}

const put = (key: string) => ({ type: FrameType.Put, body: putOf(key) }) as const;

function deletionOf(key: string): DeleteRangeRequest {
  return { key: Buffer.from(key), rangeEnd: NO_BYTES, prevKv: false };
}

const txn = (success: readonly TxnOp[], failure: readonly TxnOp[] = []): Command => ({
  type: FrameType.Txn,
  body: { compares: [], success, failure },
});

const alarmOf = (kind: AlarmKind, action: AlarmAction, nodeId = 0) =>
  ({ type: FrameType.AlarmSet, body: { nodeId, kind, action } }) as const;

const alarms = (lone: LoneMember) =>
  lone.read({ type: FrameType.AlarmList }).then((reply) => reply.alarms);

/** Waits until the alarms are so many. */
async function alarmed(lone: LoneMember, count: number): Promise<void> {
  while (lone.member.store.alarms().length !== count) await nextTick();
}

t.test('a store that outgrows its quota is full until it is disarmed', async (t) => {
  const lone = await LoneMember.start(t, { upkeep: { quotaBytes: QUOTA_BYTES } });
  t.strictSame(await alarms(lone), []);
  for (let number = 0; number < 15; number += 1) await lone.write(put(`key-${number}`));
  await alarmed(lone, 1);
  t.strictSame(await alarms(lone), [{ nodeId: 0, kind: AlarmKind.NoSpace }]);
  await t.rejects(lone.write(put('more')), { code: ErrorCode.NoSpace });

  await t.test('a restart changes nothing about it', async (t) => {
    await lone.restart();
    t.strictSame(await alarms(lone), [{ nodeId: 0, kind: AlarmKind.NoSpace }]);
    await t.rejects(lone.write(put('more')), { code: ErrorCode.NoSpace });
  });

  await t.test('disarmed too early it comes back', async (t) => {
    const disarmed = await lone.write(alarmOf(AlarmKind.NoSpace, AlarmAction.Disarm));
    t.strictSame(disarmed.alarms, [{ nodeId: 0, kind: AlarmKind.NoSpace }]);
    await alarmed(lone, 1);
  });

  await t.test('deletions and a compaction make room without a stop', async (t) => {
    for (let number = 0; number < 15; number += 1) {
      await lone.write({ type: FrameType.DeleteRange, body: deletionOf(`key-${number}`) });
    }
    const revision = lone.member.store.revision();
    await lone.write({ type: FrameType.Compact, body: { revision, physical: true } });
    // Of the revision compacted to, what it deleted stays until the next compaction.
    await lone.member.store.flush();
    t.ok(lone.member.store.size().dbSizeInUseBytes < QUOTA_BYTES);
    t.ok(lone.member.store.size().dbSizeBytes > QUOTA_BYTES, 'the file has not shrunk');
    await lone.write(alarmOf(AlarmKind.NoSpace, AlarmAction.Disarm));
    await lone.write(put('more'));
    await lone.member.store.flush();
    await nextTick();
    t.strictSame(await alarms(lone), []);
  });
});

const growth: readonly (readonly [string, Command])[] = [
  ['a put', put('a')],
  ['a transaction with a put', txn([{ kind: OpKind.Put, request: putOf('a') }])],
  ['one with a put it may not reach', txn([], [{ kind: OpKind.Put, request: putOf('a') }])],
  [
    'one within another',
    txn([
      {
        kind: OpKind.Txn,
        request: {
          compares: [],
          success: [{ kind: OpKind.Put, request: putOf('a') }],
          failure: [],
        },
      },
    ]),
  ],
  ['a grant', { type: FrameType.LeaseGrant, body: { id: 7n, ttlSeconds: 60 } }],
];
const others: readonly (readonly [string, Command])[] = [
  ['a deletion', { type: FrameType.DeleteRange, body: deletionOf('a') }],
  ['a transaction that deletes', txn([{ kind: OpKind.DeleteRange, request: deletionOf('a') }])],
  ['a compaction', { type: FrameType.Compact, body: { revision: 2, physical: false } }],
  ['the end of a lease', { type: FrameType.LeaseRevoke, body: { id: 5n } }],
  ['the opening of a session', { type: FrameType.SessionOpen, body: { ttlSeconds: 60 } }],
];

t.test('an alarm of no space refuses what grows, and nothing else', async (t) => {
  const lone = await LoneMember.start(t);
  await lone.write(put('a'));
  await lone.write({ type: FrameType.LeaseGrant, body: { id: 5n, ttlSeconds: 60 } });
  await lone.write(alarmOf(AlarmKind.NoSpace, AlarmAction.Raise));
  const revision = lone.member.store.revision();
  for (const [name, command] of growth) {
    await t.rejects(lone.write(command), { code: ErrorCode.NoSpace }, name);
  }
  t.equal(lone.member.store.revision(), revision);
  for (const [name, command] of others) await t.resolves(lone.write(command), name);
});

t.test('raising and disarming twice does no more than once', async (t) => {
  const lone = await LoneMember.start(t);
  const raised = { nodeId: 0, kind: AlarmKind.NoSpace };
  for (let times = 0; times < 2; times += 1) {
    const reply = await lone.write(alarmOf(AlarmKind.NoSpace, AlarmAction.Raise));
    t.strictSame(reply.alarms, [raised]);
    t.strictSame(await alarms(lone), [raised]);
  }
  const first = await lone.write(alarmOf(AlarmKind.NoSpace, AlarmAction.Disarm));
  t.strictSame(first.alarms, [raised]);
  const second = await lone.write(alarmOf(AlarmKind.NoSpace, AlarmAction.Disarm));
  t.strictSame(second.alarms, []);
  t.strictSame(await alarms(lone), []);
});

t.test('where all members are corrupt, alarms are disarmed all the same', async (t) => {
  const lone = await LoneMember.start(t);
  await lone.write(alarmOf(AlarmKind.Corrupt, AlarmAction.Raise));
  await t.rejects(lone.write(put('a')), { code: ErrorCode.CorruptCluster });
  const { alarms } = await lone.write(alarmOf(AlarmKind.Corrupt, AlarmAction.Disarm));
  t.strictSame(alarms, [{ nodeId: 0, kind: AlarmKind.Corrupt }]);
  await t.resolves(lone.write(put('a')));
});

t.test('an alarm of who is no member is not raised', async (t) => {
  const lone = await LoneMember.start(t);
  await t.rejects(lone.write(alarmOf(AlarmKind.NoSpace, AlarmAction.Raise, 9)), {
    code: ErrorCode.MemberNotFound,
  });
});

t.test('what was applied before the alarm keeps its answer', async (t) => {
  const lone = await LoneMember.start(t);
  const { session } = await lone.write({ type: FrameType.SessionOpen, body: { ttlSeconds: 60 } });
  const before = await lone.once(session, 1, put('a'));
  await lone.write(alarmOf(AlarmKind.NoSpace, AlarmAction.Raise));
  t.equal((await lone.once(session, 1, put('a'))).revision, before.revision);
  await t.rejects(lone.once(session, 2, put('b')), { code: ErrorCode.NoSpace });
});
