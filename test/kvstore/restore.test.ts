/** A snapshot summed up from its stream, and made into the store of another cluster. */

import t from 'tap';
import { AlarmAction, AlarmKind, type SnapshotFacts, type Store } from '../../include/kvstore.ts';
import { ErrorCode, KvorumError } from '../../include/rpc.ts';
import { restoreStore } from '../../src/kvstore/restore.ts';
import { SnapshotSummary } from '../../src/kvstore/snapshot-summary.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { createMemoryHome } from './memory-base.ts';
import { deleteOf, putOf, rangeOf, showRange } from './store-requests.ts';

const OLD = { voters: [0, 1, 2], outgoing: [], learners: [] };
const NEW = { voters: [7], outgoing: [], learners: [] };

async function createSource(): Promise<Store> {
  const store = await openStore(createMemoryHome());
  const account = (): void =>
    store.setApplied({ index: store.applied().index + 1, term: 4, configuration: OLD });
  for (let count = 0; count < 40; count += 1) {
    store.put(putOf(`k${count % 9}`, `v${count}`));
    account();
  }
  store.leaseGrant({ id: 77n, ttlSeconds: 60 });
  account();
  store.put(putOf('leased', 'x', { lease: 77n }));
  account();
  store.deleteRange(deleteOf('k3'));
  account();
  return store;
}

async function streamOf(store: Store): Promise<Buffer> {
  const reader = await store.exportSnapshot();
  const chunks: Buffer[] = [];
  for (let chunk = reader.next(); chunk !== undefined; chunk = reader.next()) chunks.push(chunk);
  reader.close();
  return Buffer.concat(chunks);
}

async function* cut(stream: Buffer, sizeBytes: number): AsyncIterable<Buffer> {
  for (let offset = 0; offset < stream.length; offset += sizeBytes) {
    yield Buffer.from(stream.subarray(offset, offset + sizeBytes));
  }
}

function summarize(stream: Buffer, sizeBytes = stream.length): SnapshotFacts {
  const summary = new SnapshotSummary();
  for (let offset = 0; offset < stream.length; offset += sizeBytes) {
    summary.write(Buffer.from(stream.subarray(offset, offset + sizeBytes)));
  }
  return summary.finish();
}

t.test('a summary says what the store said, however the stream is cut', async (t) => {
  const source = await createSource();
  const stream = await streamOf(source);
  const facts = summarize(stream);
  t.match(facts, { revision: 43, compactRevision: -1, keyCount: 9, applied: { index: 43 } });
  for (const sizeBytes of [1, 7, 100]) t.strictSame(summarize(stream, sizeBytes), facts);
});

t.test('a damaged stream is refused, whichever byte it is', async (t) => {
  const stream = await streamOf(await createSource());
  for (let offset = 0; offset < stream.length; offset += 1) {
    const damaged = Buffer.from(stream);
    damaged.writeUInt8(damaged.readUInt8(offset) ^ 1, offset);
    if (!isRefused(damaged)) t.fail(`byte ${offset} was changed`);
    if (!isRefused(stream.subarray(0, offset))) t.fail(`${offset} bytes were left`);
  }
  t.equal(isRefused(stream), false);
});

function isRefused(stream: Buffer): boolean {
  try {
    summarize(stream);
    return false;
  } catch (error) {
    return error instanceof KvorumError && error.code === ErrorCode.FrameMalformed;
  }
}

t.test('a restored store is the old one with other members', async (t) => {
  const source = await createSource();
  const stream = await streamOf(source);
  const home = createMemoryHome();
  const changes = { configuration: NEW, bumpRevision: 0, marksCompacted: false };
  const restored = await restoreStore(home, cut(stream, 50), changes);
  t.equal(restored.hash, summarize(stream).hash, 'checked by its hash');

  const store = await openStore(home);
  t.equal(store.hash(), source.hash());
  t.strictSame(store.applied(), { index: 43, term: 4, configuration: NEW });
  t.equal(store.revision(), 43);
  t.equal(
    showRange(store.range(rangeOf('k1', '', { revision: 12 }))),
    '@43 count=1 [k1=v10 3/12/2]',
  );
  t.strictSame(store.leaseKeys(77n).map(String), ['leased']);
});

t.test('alarms of the old members are none of the new cluster', async (t) => {
  const source = await createSource();
  for (const kind of [AlarmKind.NoSpace, AlarmKind.Corrupt]) {
    source.setAlarm({ nodeId: 1, kind, action: AlarmAction.Raise });
    source.setApplied({ index: source.applied().index + 1, term: 4, configuration: OLD });
  }
  t.equal(source.alarms().length, 2);
  const home = createMemoryHome();
  const changes = { configuration: OLD, bumpRevision: 0, marksCompacted: false };
  await restoreStore(home, cut(await streamOf(source), 50), changes);
  t.strictSame((await openStore(home)).alarms(), []);
});

t.test('a bumped revision goes on above all that the old cluster may have had', async (t) => {
  const stream = await streamOf(await createSource());
  const home = createMemoryHome();
  const changes = { configuration: NEW, bumpRevision: 1_000, marksCompacted: true };
  t.match(await restoreStore(home, cut(stream, 50), changes), { revision: 1_043 });

  const store = await openStore(home);
  t.equal(store.compactRevision(), 1_043);
  t.equal(store.range(rangeOf('k1', '', { revision: 43 })), ErrorCode.Compacted);
  const put = store.put(putOf('k1', 'new'));
  store.setApplied({ index: 44, term: 5, configuration: NEW });
  t.match(put, { revision: 1_044 });
  while (store.compactStep());
  t.equal(store.compactedPhysically(), 1_043);
  t.equal(showRange(store.range(rangeOf('k1'))), '@1044 count=1 [k1=new 3/1044/6]');
  t.equal(showRange(store.range(rangeOf('k2'))), '@1044 count=1 [k2=v38 4/40/5]');
});
