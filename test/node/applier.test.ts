import t, { type Test } from 'tap';
import { APPLY_SLICE_ENTRIES, APPLY_SLICE_MS, type Entry, EntryType } from '../../include/node.ts';
import { type ErrorCode, FrameType, type LoggedCommand, type Reply } from '../../include/rpc.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { Applier } from '../../src/node/applier.ts';
import type { Asker } from '../../src/node/asker.ts';
import { Lessor, NO_TERM } from '../../src/node/lessor.ts';
import { Proposals } from '../../src/node/proposals.ts';
import { encodeCommand } from '../../src/rpc/command-codec.ts';
import { createMemoryHome } from '../kvstore/memory-base.ts';

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
  const lessor = new Lessor({ store, clock, propose: () => false });
  const applier = new Applier({
    store,
    clock,
    proposals,
    lessor,
    header: (revision) => ({ clusterId: 1n, nodeId: 0, revision, term: TERM }),
    configurationAt: () => CONFIGURATION,
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
      const proposal = { index, term: TERM, asker, id, command, deadlineMs: 0 };
      proposals.add(proposal, () => t.fail('nothing is lost here'));
    }
    applier.add([entry]);
  };
  return { store, lessor, applier, commit, told, replies };
}

function put(key: string): LoggedCommand {
  const flags = { lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
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
