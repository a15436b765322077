/** The history of a key. */

import t, { type Test } from 'tap';
import type { HistoryEntry } from '../../include/client.ts';
import { EventKind, type WatchEvent } from '../../include/kvstore.ts';
import { ErrorCode, FrameType } from '../../include/rpc.ts';
import { connect } from '../../src/client/connect.ts';
import { headerOf, type Script, startFakeNode } from './fake-node.ts';
import { FakeWatches, pairAt, putAt } from './fake-watches.ts';

const REVISION = 20;

const deleteAt = (revision: number): WatchEvent => ({ ...putAt(revision), kind: EventKind.Delete });

/** A node at REVISION, compacted at some revision, whose key has this history. */
async function startHistory(t: Test, events: readonly WatchEvent[], compactRevision = 0) {
  const watches = new FakeWatches();
  watches.revision = REVISION;
  const state = { compactRevision };
  watches.onCreated = ({ asked, body }) => {
    if (body.startRevision < state.compactRevision) {
      const why = { code: ErrorCode.Compacted, compactRevision: state.compactRevision };
      asked.tellCancelled(body.watchId, why);
      return;
    }
    const told = events.filter(({ kv }) => kv.modRevision >= body.startRevision);
    if (told.length === 0) return;
    asked.tellEvents(body.watchId, { revision: REVISION, events: told, isFragment: false });
  };
  const script: Script = (asked) => {
    const { request, reply, refuse } = asked;
    if (request.type !== FrameType.Range) {
      watches.script(asked);
    } else if (request.body.revision > 0 && request.body.revision < state.compactRevision) {
      refuse(ErrorCode.Compacted);
    } else {
      const at = request.body.revision === 0 ? REVISION : request.body.revision;
      const last = events.filter(({ kv }) => kv.modRevision <= at).at(-1);
      const kvs = last === undefined || last.kind === EventKind.Delete ? [] : [last.kv];
      const body = { ...headerOf(0, REVISION), kvs, more: false, count: kvs.length };
      reply({ type: request.type, body });
    }
  };
  const node = await startFakeNode(0, script);
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  return { watches, state, client };
}

async function readAll(history: AsyncIterable<HistoryEntry>): Promise<readonly HistoryEntry[]> {
  const all: HistoryEntry[] = [];
  for await (const entry of history) all.push(entry);
  return all;
}

const put = (revision: number) => ({ revision, kind: 'put' as const, kv: pairAt(revision) });
const deletion = (revision: number) => ({ revision, kind: 'delete' as const, kv: undefined });

t.test('every revision of a key is told, oldest first', async (t) => {
  const { watches, client } = await startHistory(t, [putAt(3), deleteAt(5), putAt(9)]);
  t.strictSame(await readAll(client.history('a')), [put(3), deletion(5), put(9)]);
  t.equal(watches.created.length, 1);
  await watches.untilCancelled(1);
});

t.test('a key that never was has no history', async (t) => {
  const { client } = await startHistory(t, []);
  t.strictSame(await readAll(client.history('a')), []);
});

t.test('a history ends with what was when it was asked for', async (t) => {
  const { client } = await startHistory(t, [putAt(3), putAt(REVISION), putAt(REVISION + 1)]);
  t.strictSame(await readAll(client.history('a')), [put(3), put(REVISION)]);
});

t.test('behind a compaction a history begins with what the key was', async (t) => {
  const events = [putAt(3), putAt(6), putAt(9), deleteAt(12)];
  const alive = await startHistory(t, events, 7);
  t.strictSame(await readAll(alive.client.history('a')), [put(6), put(9), deletion(12)]);
  const changed = await startHistory(t, events, 9);
  t.strictSame(await readAll(changed.client.history('a')), [put(9), deletion(12)]);
  const gone = await startHistory(t, events, 13);
  t.strictSame(await readAll(gone.client.history('a')), []);
});

t.test('a compaction between begins it anew', async (t) => {
  const { watches, state, client } = await startHistory(t, [putAt(3), putAt(6), putAt(9)], 4);
  const accept = watches.onCreated;
  watches.onCreated = (watch) => {
    if (watches.created.length === 2) state.compactRevision = 8;
    accept(watch);
  };
  t.strictSame(await readAll(client.history('a')), [put(6), put(9)]);
});

t.test('compactions without end are told', async (t) => {
  const { watches, state, client } = await startHistory(t, [putAt(3)], 4);
  const accept = watches.onCreated;
  watches.onCreated = (watch) => {
    state.compactRevision = watch.body.startRevision + 1;
    accept(watch);
  };
  await t.rejects(readAll(client.history('a')), { code: ErrorCode.Compacted });
});

t.test('a compaction that overtakes the telling is told', async (t) => {
  const { watches, client } = await startHistory(t, []);
  watches.onCreated = ({ asked, body, tell }) => {
    tell(3);
    asked.tellCancelled(body.watchId, { code: ErrorCode.Compacted, compactRevision: 12 });
  };
  const told: number[] = [];
  await t.rejects(
    async () => {
      for await (const { revision } of client.history('a')) told.push(revision);
    },
    { code: ErrorCode.Compacted, compactRevision: 12 },
  );
  t.strictSame(told, [3]);
});

t.test('a node that is behind is waited for', async (t) => {
  const { watches, client } = await startHistory(t, []);
  let askedCount = 0;
  watches.onProgress = ({ reply }) => {
    askedCount += 1;
    if (askedCount === 3) watches.created[0]?.tell(REVISION - 1);
    const revision = askedCount === 3 ? REVISION : REVISION - 5;
    reply({ type: FrameType.WatchProgress, body: headerOf(0, revision) });
  };
  t.strictSame(await readAll(client.history('a')), [put(REVISION - 1)]);
});

t.test('a history that is left cancels its watch', async (t) => {
  const { watches, client } = await startHistory(t, [putAt(3), putAt(6)]);
  for await (const _entry of client.history('a')) break;
  await watches.untilCancelled(1);
  t.ok(await client.put('a', '1'), 'the node serves on');
});
