/** The state on its way to clients: how many at once, what slows it down, what ends it. */

import t from 'tap';
import type { SnapshotReader, Store } from '../../include/kvstore.ts';
import { ErrorCode, SNAPSHOT_QUEUED_BYTES, SNAPSHOT_STREAMS_MAX } from '../../include/rpc.ts';
import { SnapshotExports, type SnapshotSink } from '../../src/node/snapshot-exports.ts';
import { Throttle } from '../../src/node/throttle.ts';
import { ManualClock } from '../rpc/manual-clock.ts';

const APPLIED = { index: 1, term: 1, configuration: { voters: [], outgoing: [], learners: [] } };

/** A store with one endless snapshot after the other; reading a chunk takes a while. */
function createExports(clock: ManualClock, chunkMs = 0) {
  const open: SnapshotReader[] = [];
  const state = { isOpen: true, closedCount: 0, isFlushFailing: false };
  const fatal: unknown[] = [];
  const store: Pick<Store, 'exportSnapshot'> = {
    exportSnapshot: async () => {
      if (state.isFlushFailing) throw new Error('disk full');
      const reader: SnapshotReader = {
        applied: APPLIED,
        revision: 7,
        next: () => {
          clock.advance(chunkMs);
          return Buffer.alloc(1_000);
        },
        close: () => {
          state.closedCount += 1;
        },
      };
      open.push(reader);
      return reader;
    },
  };
  let servedCount = 0;
  const busy = new Throttle(clock, () => (servedCount += 1));
  const exports = new SnapshotExports({
    store: store as Store,
    clock,
    throttle: busy,
    isOpen: () => state.isOpen,
    onFatal: (cause) => fatal.push(cause),
  });
  return { exports, open, state, fatal };
}

function createSink() {
  const told = { isClosed: false, queuedBytes: 0, chunkCount: 0 };
  const sink: SnapshotSink = {
    isClosed: () => told.isClosed,
    queuedBytes: () => told.queuedBytes,
    chunk: () => {
      told.chunkCount += 1;
    },
    end: () => {},
  };
  return { sink, told };
}

/** Lets promises that are due settle. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

t.test('no more than SNAPSHOT_STREAMS_MAX are sent at once', async (t) => {
  const { exports, state } = createExports(new ManualClock());
  const { sink, told } = createSink();
  const running = Array.from({ length: SNAPSHOT_STREAMS_MAX }, () => exports.stream(sink));
  await t.rejects(exports.stream(createSink().sink), { code: ErrorCode.TooManyRequests });
  t.equal(state.closedCount, 0);
  told.isClosed = true;
  await Promise.all(running.map((stream) => Promise.race([stream, settle()])));
});

t.test('while others are served it rests for 25 times as long as a chunk takes', async (t) => {
  const clock = new ManualClock();
  const { exports } = createExports(clock, 3);
  const { sink, told } = createSink();
  void exports.stream(sink);
  await settle();
  t.equal(told.chunkCount, 1);
  clock.advance(74);
  await settle();
  t.equal(told.chunkCount, 1);
  clock.advance(1);
  await settle();
  t.equal(told.chunkCount, 2);
});

t.test('a client that does not read is waited for', async (t) => {
  const clock = new ManualClock();
  const { exports } = createExports(clock);
  const { sink, told } = createSink();
  told.queuedBytes = SNAPSHOT_QUEUED_BYTES;
  void exports.stream(sink);
  for (let round = 0; round < 5; round += 1) {
    await settle();
    clock.advance(100);
  }
  t.equal(told.chunkCount, 0);
  told.queuedBytes = SNAPSHOT_QUEUED_BYTES - 1;
  clock.advance(100);
  await settle();
  t.equal(told.chunkCount, 1);
});

t.test('it ends with the client, and with the store', async (t) => {
  const clock = new ManualClock();
  const { exports, state } = createExports(clock);
  const gone = createSink();
  const left = exports.stream(gone.sink);
  await settle();
  gone.told.isClosed = true;
  clock.advance(1);
  await left;
  t.equal(state.closedCount, 1);

  const failed = t.rejects(exports.stream(createSink().sink), { code: ErrorCode.SnapshotFailed });
  await settle();
  state.isOpen = false;
  clock.advance(1);
  await failed;
  t.equal(state.closedCount, 2);
});

t.test('a flush that fails for a snapshot is as fatal as any', async (t) => {
  const { exports, state, fatal } = createExports(new ManualClock());
  state.isFlushFailing = true;
  await t.rejects(exports.stream(createSink().sink), { message: 'disk full' });
  t.match(fatal, [{ message: 'disk full' }]);
});
