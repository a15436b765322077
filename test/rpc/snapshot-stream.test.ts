import t, { type Test } from 'tap';
import type { SnapshotMeta } from '../../include/node.ts';
import {
  ConnectionRole,
  ErrorCode,
  FRAME_LENGTH_BYTES,
  FrameType,
  KvorumError,
  PROTOCOL_VERSION,
  SNAPSHOT_QUEUED_BYTES,
  SNAPSHOT_SILENCE_MAX_MS,
  type SnapshotTotals,
} from '../../include/rpc.ts';
import { createRandom } from '../../src/random.ts';
import { CONNECTION_TICK_MS } from '../../src/rpc/connection-limits.ts';
import type { OpenStream } from '../../src/rpc/dial.ts';
import { FlushQueue } from '../../src/rpc/flush-queue.ts';
import { createMemoryPair } from '../../src/rpc/memory-pair.ts';
import {
  writeSnapshotBegin,
  writeSnapshotChunk,
  writeSnapshotEnd,
} from '../../src/rpc/snapshot-codec.ts';
import { receiveSnapshot, type SnapshotReceiver } from '../../src/rpc/snapshot-receiver.ts';
import { sendSnapshot } from '../../src/rpc/snapshot-sender.ts';
import { ManualClock } from './manual-clock.ts';
import { RawClient } from './raw-client.ts';
import { CLUSTER_ID, Signal, startServer, type TestServer } from './test-server.ts';

const META: SnapshotMeta = {
  index: 1_234_567,
  term: 8,
  configuration: { voters: [1, 2, 3], outgoing: [1, 2], learners: [4] },
};

const HELLO = {
  version: PROTOCOL_VERSION,
  role: ConnectionRole.Snapshot,
  clusterId: CLUSTER_ID,
  nodeId: 2,
  targetId: 1,
};

type Received = {
  metas: SnapshotMeta[];
  chunks: Buffer[];
  totals: SnapshotTotals[];
  failures: KvorumError[];
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A server that receives snapshots. */
async function startReceiver(
  t: Test,
  overrides: Partial<SnapshotReceiver> = {},
): Promise<{ server: TestServer; received: Received; signal: Signal }> {
  const received: Received = { metas: [], chunks: [], totals: [], failures: [] };
  const signal = new Signal();
  const receiver: SnapshotReceiver = {
    onBegin: (meta) => void received.metas.push(meta),
    onChunk: (chunk) => void received.chunks.push(chunk),
    onEnd: (totals) => void received.totals.push(totals),
    onFailed: (error) => {
      received.failures.push(error);
      signal.fire();
    },
    ...overrides,
  };
  const server = await startServer(t, {
    onSnapshot: (connection) => receiveSnapshot(connection, receiver),
  });
  return { server, received, signal };
}

/** Sends chunks to a server; counts how many were asked for. */
function send(
  port: number,
  next: () => Buffer | undefined | Promise<Buffer | undefined>,
  options: {
    clock?: ManualClock;
    signal?: AbortSignal;
    peerId?: number;
    openStream?: OpenStream;
  } = {},
): Promise<SnapshotTotals> {
  const clock = options.clock ?? new ManualClock();
  return sendSnapshot(
    {
      clusterId: CLUSTER_ID,
      selfId: 2,
      peerId: options.peerId ?? 1,
      address: '127.0.0.1',
      port,
      clock,
      flushQueue: new FlushQueue(clock),
      meta: META,
      nextChunk: next,
      ...(options.openStream === undefined ? {} : { openStream: options.openStream }),
    },
    options.signal,
  );
}

function listOf(chunks: readonly Buffer[]): () => Buffer | undefined {
  let slot = 0;
  return () => chunks[slot++];
}

t.test('a snapshot arrives as it was sent, whatever the size of its chunks', async (t) => {
  const { server, received } = await startReceiver(t);
  const random = createRandom(1);
  const sizes = [0, 1, 100, 65_536, 262_144, 262_144, 1_000_000, 7];
  const chunks = sizes.map((size) => Buffer.alloc(size, random.below(256)));
  const totals = await send(server.port, listOf(chunks));
  t.strictSame(received.metas, [META]);
  t.strictSame(received.chunks, chunks);
  t.strictSame(received.totals, [totals]);
  t.equal(
    totals.bytes,
    sizes.reduce((sum, size) => sum + size),
  );
  t.strictSame(received.failures, []);
});

t.test('a snapshot without chunks arrives, too', async (t) => {
  const { server, received } = await startReceiver(t);
  t.strictSame(await send(server.port, () => undefined), { bytes: 0, crc32: 0 });
  t.strictSame(received.totals, [{ bytes: 0, crc32: 0 }]);
});

t.test('no more chunks are asked for than a slow receiver takes', async (t) => {
  let release: () => void = () => {};
  let taken = 0;
  const { server } = await startReceiver(t, {
    onChunk: () => {
      taken += 1;
      return new Promise((resolve) => {
        release = resolve;
      });
    },
  });
  const chunk = Buffer.alloc(256 * 1024);
  let asked = 0;
  const sent = send(server.port, async () => {
    asked += 1;
    return asked <= 100 ? chunk : undefined;
  });
  for (let seen = -1; seen !== asked; ) {
    seen = asked;
    for (let turns = 0; turns < 100; turns += 1) await turn();
  }
  t.equal(taken, 1, 'one at a time');
  // What waits: the sender's queue, the kernel's buffers of both sides.
  t.ok(asked < SNAPSHOT_QUEUED_BYTES / chunk.length + 50, `${asked} were asked for`);
  const pump = setInterval(() => release(), 0);
  await sent;
  clearInterval(pump);
  t.equal(taken, 100);
});

t.test('the sender is answered only once the receiver has taken the snapshot over', async (t) => {
  let release: () => void = () => {};
  let isEnding = false;
  const { server } = await startReceiver(t, {
    onEnd: () => {
      isEnding = true;
      return new Promise((resolve) => {
        release = resolve;
      });
    },
  });
  let isAnswered = false;
  const sent = send(server.port, () => undefined).then(() => {
    isAnswered = true;
  });
  while (!isEnding) await turn();
  for (let turns = 0; turns < 30; turns += 1) await turn();
  t.equal(isAnswered, false);
  release();
  await sent;
});

const refusals: readonly (readonly [string, Partial<SnapshotReceiver>])[] = [
  ['by a rejection at its begin', { onBegin: () => Promise.reject(new Error('disk full')) }],
  ['by a rejection of a chunk', { onChunk: () => Promise.reject(new Error('disk full')) }],
  ['by a rejection at its end', { onEnd: () => Promise.reject(new Error('disk full')) }],
  [
    'by a throw',
    {
      onChunk: () => {
        throw new KvorumError(ErrorCode.SnapshotFailed, 'disk full');
      },
    },
  ],
];
for (const [name, overrides] of refusals) {
  t.test(`a snapshot refused ${name} tells its sender why`, async (t) => {
    const { server } = await startReceiver(t, overrides);
    const sent = send(server.port, listOf([Buffer.from('chunk')]));
    await t.rejects(sent, { code: ErrorCode.SnapshotFailed, message: 'disk full' });
  });
}

t.test('a stream whose source fails is broken off on both sides', async (t) => {
  const { server, received, signal } = await startReceiver(t);
  const source = new Error('the store is gone');
  let asked = 0;
  const sent = send(server.port, async () => {
    asked += 1;
    if (asked === 3) throw source;
    await turn();
    return Buffer.from('chunk');
  });
  await t.rejects(sent, source);
  await signal.until(() => received.failures.length > 0);
  t.match(received.failures, [{ code: ErrorCode.ConnectionLost }]);
  t.equal(received.totals.length, 0);
});

t.test('a stream that is given up is broken off on both sides', async (t) => {
  const { server, received, signal } = await startReceiver(t);
  const abort = new AbortController();
  const sent = send(
    server.port,
    async () => {
      if (received.chunks.length > 2) abort.abort();
      await turn();
      return Buffer.from('chunk');
    },
    { signal: abort.signal },
  );
  await t.rejects(sent, { code: ErrorCode.SnapshotFailed });
  await signal.until(() => received.failures.length > 0);
});

t.test('a stream given up before it began does not begin', async (t) => {
  const { server, received } = await startReceiver(t);
  const sent = send(server.port, () => undefined, { signal: AbortSignal.abort() });
  await t.rejects(sent, { code: ErrorCode.SnapshotFailed });
  t.equal(received.metas.length, 0);
});

t.test('a peer that dies in the middle fails the stream', async (t) => {
  const { server } = await startReceiver(t, { onChunk: () => void server.server.close() });
  const sent = send(server.port, async () => {
    await turn();
    return Buffer.alloc(100_000);
  });
  await t.rejects(sent, { code: ErrorCode.Stopped });
});

t.test('a stream to the wrong node does not begin', async (t) => {
  const { server } = await startReceiver(t);
  const sent = send(server.port, () => undefined, { peerId: 3 });
  await t.rejects(sent, { code: ErrorCode.NodeMismatch });
});

t.test('a sender that falls silent fails the stream', async (t) => {
  const { server, received } = await startReceiver(t);
  const sender = await RawClient.greet(server.port, HELLO);
  sender.write((writer) => writeSnapshotBegin(writer, 1, META));
  while (received.metas.length === 0) await turn();
  server.clock.advance(SNAPSHOT_SILENCE_MAX_MS);
  t.equal(received.failures.length, 0);
  server.clock.advance(CONNECTION_TICK_MS);
  t.equal(received.failures.length, 1);
  await sender.closed;
});

t.test('a receiver that does not answer fails the stream', async (t) => {
  let isEnding = false;
  const { server } = await startReceiver(t, {
    onEnd: () => {
      isEnding = true;
      return new Promise(() => {});
    },
  });
  const clock = new ManualClock();
  const sent = send(server.port, () => undefined, { clock });
  while (!isEnding) await turn();
  clock.advance(SNAPSHOT_SILENCE_MAX_MS);
  await t.rejects(sent, { code: ErrorCode.SnapshotFailed });
});

t.test('a receiver that owes its answer is pinged: one that is gone would reset', async (t) => {
  const server = await startServer(t, {
    onSnapshot: (connection) => {
      connection.onFrame = () => {};
    },
  });
  const types: number[] = [];
  const signal = new Signal();
  const clock = new ManualClock();
  const abort = new AbortController();
  const sent = send(server.port, () => undefined, {
    clock,
    signal: abort.signal,
    openStream: () => {
      const [near, far] = createMemoryPair();
      server.server.adopt(far, 'within');
      far.on('data', (bytes: Buffer) => {
        types.push(bytes.readUInt8(FRAME_LENGTH_BYTES));
        signal.fire();
      });
      return near;
    },
  });
  await signal.until(() => types.includes(FrameType.SnapshotBegin));
  for (const count of [1, 2, 3]) {
    clock.advance(CONNECTION_TICK_MS);
    await signal.until(() => types.filter((type) => type === FrameType.Ping).length === count);
  }
  abort.abort();
  await t.rejects(sent, { code: ErrorCode.SnapshotFailed });
});

const chunk = Buffer.from('chunk');
const wrongStreams: readonly (readonly [string, ErrorCode, (client: RawClient) => void])[] = [
  [
    'begins with a chunk',
    ErrorCode.FrameUnknown,
    (client) => client.write((writer) => writeSnapshotChunk(writer, 1, chunk)),
  ],
  [
    'begins twice',
    ErrorCode.FrameUnknown,
    (client) =>
      client.write((writer) => {
        writeSnapshotBegin(writer, 1, META);
        writeSnapshotBegin(writer, 1, META);
      }),
  ],
  [
    'ends with a wrong checksum',
    ErrorCode.FrameMalformed,
    (client) =>
      client.write((writer) => {
        writeSnapshotBegin(writer, 1, META);
        writeSnapshotChunk(writer, 1, chunk);
        writeSnapshotEnd(writer, 1, { bytes: chunk.length, crc32: 1 });
      }),
  ],
  [
    'ends with a wrong size',
    ErrorCode.FrameMalformed,
    (client) =>
      client.write((writer) => {
        writeSnapshotBegin(writer, 1, META);
        writeSnapshotChunk(writer, 1, chunk);
        writeSnapshotEnd(writer, 1, { bytes: chunk.length + 1, crc32: 1 });
      }),
  ],
];
for (const [name, code, write] of wrongStreams) {
  t.test(`a stream that ${name} is refused`, async (t) => {
    const { server, received } = await startReceiver(t);
    const sender = await RawClient.greet(server.port, HELLO);
    write(sender);
    await sender.closed;
    t.equal(sender.lastError?.code, code);
    t.equal(received.totals.length, 0);
    t.equal(received.failures.length, received.metas.length, 'a stream that began has failed');
    t.ok(sender.frames.every(({ type }) => type !== FrameType.Reply));
  });
}

t.test('a stream cut by a reset fails with the loss', async (t) => {
  const { server, received, signal } = await startReceiver(t);
  const sender = await RawClient.greet(server.port, HELLO);
  sender.write((writer) => writeSnapshotBegin(writer, 1, META));
  while (received.metas.length === 0) await turn();
  sender.socket.resetAndDestroy();
  await signal.until(() => received.failures.length > 0);
  t.match(received.failures, [{ code: ErrorCode.ConnectionLost }]);
});
