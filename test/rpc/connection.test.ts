import { once } from 'node:events';
import { createServer } from 'node:net';
import t, { type Test } from 'tap';
import {
  CLOSE_LINGER_MS,
  CloseReason,
  ErrorCode,
  FrameType,
  KvorumError,
} from '../../include/rpc.ts';
import { Connection } from '../../src/rpc/connection.ts';
import { decodeStamp, writePing } from '../../src/rpc/connection-codec.ts';
import { CLIENT_LIMITS, type ConnectionLimits } from '../../src/rpc/connection-limits.ts';
import { FlushQueue } from '../../src/rpc/flush-queue.ts';
import { bytesOf, writeStatus } from './frames.ts';
import { ManualClock } from './manual-clock.ts';
import { CLIENT_HELLO, RawClient } from './raw-client.ts';

type Pair = {
  readonly connection: Connection;
  readonly client: RawClient;
  readonly clock: ManualClock;
  readonly ended: Promise<{ reason: CloseReason; error: KvorumError | undefined }>;
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A connection with a bare socket on its other side. */
async function pair(t: Test, limits: Partial<ConnectionLimits> = {}): Promise<Pair> {
  const clock = new ManualClock();
  const server = createServer({ noDelay: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const [[socket], client] = await Promise.all([
    once(server, 'connection'),
    RawClient.connect(port),
  ]);
  const all = { ...CLIENT_LIMITS, ...limits };
  const connection = new Connection(socket, 'test:1', all, clock, new FlushQueue(clock));
  connection.hello = CLIENT_HELLO;
  const ended = new Promise<{ reason: CloseReason; error: KvorumError | undefined }>((resolve) => {
    connection.onClose = (_connection, reason, error) => resolve({ reason, error });
  });
  t.teardown(async () => {
    connection.close();
    await client.close();
    server.close();
    await once(server, 'close');
  });
  return { connection, client, clock, ended };
}

function answer(connection: Connection, id: number, sizeBytes = 0): void {
  connection.writer.begin(FrameType.Reply, id);
  connection.writer.bytes(Buffer.alloc(sizeBytes));
  connection.writer.end();
}

const requests = (count: number): Buffer =>
  bytesOf((writer) => {
    for (let id = 1; id <= count; id += 1) writeStatus(writer, id);
  });

t.test('replies of one turn leave together, in order', async (t) => {
  const { connection, client } = await pair(t);
  connection.onFrame = (_connection, _type, id) => answer(connection, id, id);
  let chunks = 0;
  client.socket.on('data', () => {
    chunks += 1;
  });
  client.socket.write(requests(50));
  await client.heard(50);
  t.strictSame(
    client.frames.map(({ id }) => id),
    Array.from({ length: 50 }, (_, slot) => slot + 1),
  );
  t.equal(chunks, 1);
  t.equal(connection.queuedBytes, 0);
  t.equal(connection.inflightCount, 0);
});

t.test('a flush by hand sends what is pending in this turn', async (t) => {
  const { connection, client } = await pair(t);
  answer(connection, 1);
  connection.flush();
  t.equal(connection.writer.pendingBytes, 0);
  await client.heard(1);
});

t.test('a PING is answered by the connection itself', async (t) => {
  const { connection, client } = await pair(t);
  connection.onFrame = () => t.fail('not the owner');
  client.write((writer) => writePing(writer, 123_456));
  await client.heard(1);
  const [pong] = client.frames;
  t.equal(pong?.type, FrameType.Pong);
  t.equal(decodeStamp(pong!.body, 0, pong!.body.length), 123_456);
});

t.test('large frames arrive whole through many batches', async (t) => {
  const { connection, client } = await pair(t);
  const body = Buffer.alloc(3_000_000);
  for (let offset = 0; offset < body.length; offset += 1) body[offset] = (offset * 7) & 0xff;
  for (let id = 1; id <= 3; id += 1) {
    connection.writer.begin(FrameType.Reply, id);
    connection.writer.bytes(body);
    connection.writer.end();
  }
  const drained = new Promise<void>((resolve) => {
    connection.onDrain = resolve;
  });
  await client.heard(3);
  t.ok(client.frames.every((frame) => frame.body.equals(body)));
  await drained;
  t.equal(connection.queuedBytes, 0);
});

t.test('no more requests are handed over than may be in flight', async (t) => {
  const { connection, client } = await pair(t, { inflightMax: 4 });
  const open: number[] = [];
  let most = 0;
  connection.onFrame = (_connection, _type, id) => {
    open.push(id);
    most = Math.max(most, connection.inflightCount);
  };
  client.socket.write(requests(101));
  for (let answered = 0; answered < 101; ) {
    while (open.length === 0) await turn();
    t.ok(open.length <= 4);
    answer(connection, open.shift()!);
    answered += 1;
  }
  await client.heard(101);
  t.equal(most, 4);
});

t.test(
  'a client that does not read is no longer read from, and served once it reads',
  async (t) => {
    const { connection, client } = await pair(t, { queuedBytesPause: 100_000 });
    let handed = 0;
    connection.onFrame = (_connection, _type, id) => {
      handed += 1;
      answer(connection, id, 50_000);
    };
    client.socket.pause();
    client.socket.write(requests(400));
    for (let seen = -1; seen !== handed; ) {
      seen = handed;
      for (let turns = 0; turns < 50; turns += 1) await turn();
    }
    t.ok(handed < 400, `${handed} handed over`);
    t.ok(connection.queuedBytes <= 100_000 + 50_010, `${connection.queuedBytes} queued`);
    client.socket.resume();
    await client.heard(400);
    t.equal(handed, 400);
  },
);

t.test('a client that leaves more than the limit unread is cut and told why', async (t) => {
  const { connection, client, clock, ended } = await pair(t, { queuedBytesMax: 10_000_000 });
  connection.onFrame = (_connection, _type, id) => answer(connection, id, 6_000_000);
  client.socket.pause();
  client.socket.write(requests(1));
  while (connection.queuedBytes === 0) await turn();
  t.equal(connection.isClosed, false);
  client.socket.write(requests(1));
  connection.onFrame = (_connection, _type, id) => answer(connection, id, 9_000_000);
  const { reason, error } = await ended;
  t.equal(reason, CloseReason.SlowReader);
  t.equal(error?.code, ErrorCode.SlowReader);
  clock.advance(CLOSE_LINGER_MS);
  client.socket.resume();
  await client.closed;
  t.equal(connection.queuedBytes <= 10_000_000, true, 'what was queued is dropped');
});

t.test('a client that reads nothing for too many ticks is cut, a slow one is not', async (t) => {
  const limits = { stallTicksMax: 3, queuedBytesPause: 1_000 };
  const { connection, client, clock, ended } = await pair(t, limits);
  client.socket.pause();
  answer(connection, 1, 20_000_000);
  connection.flush();
  for (let turns = 0; turns < 50; turns += 1) await turn();
  connection.tick();
  connection.tick();
  const queuedBytes = connection.queuedBytes;
  client.socket.resume();
  while (connection.queuedBytes === queuedBytes) await turn();
  client.socket.pause();
  for (let turns = 0; turns < 50; turns += 1) await turn();
  connection.tick();
  connection.tick();
  t.equal(connection.isClosed, false, 'it made progress');
  connection.tick();
  t.match(await ended, { reason: CloseReason.SlowReader });
  clock.advance(CLOSE_LINGER_MS);
});

t.test('a paused owner gets nothing until it resumes', async (t) => {
  const { connection, client } = await pair(t);
  const handed: number[] = [];
  connection.onFrame = (_connection, _type, id) => {
    handed.push(id);
    if (id === 2) connection.pause();
  };
  client.socket.write(requests(5));
  while (handed.length < 2) await turn();
  for (let turns = 0; turns < 20; turns += 1) await turn();
  t.strictSame(handed, [1, 2]);
  connection.resume();
  t.strictSame(handed, [1, 2], 'not from within the call');
  while (handed.length < 5) await turn();
});

t.test('a refusal of a request answers it, the connection stays', async (t) => {
  const { connection, client } = await pair(t);
  connection.onFrame = (_connection, _type, id) => {
    connection.writer.begin(FrameType.Reply, id);
    throw new KvorumError(ErrorCode.KeyEmpty);
  };
  client.socket.write(requests(2));
  await client.heard(2);
  t.strictSame(
    client.frames.map(({ type, id }) => [type, id]),
    [
      [FrameType.Error, 1],
      [FrameType.Error, 2],
    ],
  );
  t.equal(client.lastError?.code, ErrorCode.KeyEmpty);
  t.equal(connection.isClosed, false);
  t.equal(connection.inflightCount, 0);
});

t.test(
  'a malformed frame ends the connection, told once, and nothing behind it counts',
  async (t) => {
    const { connection, client, ended } = await pair(t);
    let handed = 0;
    connection.onFrame = () => {
      handed += 1;
      throw new KvorumError(ErrorCode.FrameMalformed, 'malformed frame: key');
    };
    client.socket.write(requests(10));
    await client.closed;
    t.equal(handed, 1);
    t.equal(client.frames.length, 1);
    t.equal(client.frames[0]?.id, 0);
    t.equal(client.lastError?.message, 'malformed frame: key');
    t.match(await ended, { reason: CloseReason.Protocol });
  },
);

const tooLong = [-1, 0, 1] as const;
for (const over of tooLong) {
  t.test(`a frame at its limit ${over >= 0 ? '+' : ''}${over}`, async (t) => {
    const lengthMax = 1_000;
    const { connection, client, ended } = await pair(t, { readLengthMax: lengthMax });
    const handed = new Promise<number>((resolve) => {
      connection.onFrame = (_connection, _type, _id, _buffer, start, end) => resolve(end - start);
    });
    client.write((writer) => {
      writer.begin(FrameType.Put, 1);
      writer.bytes(Buffer.alloc(lengthMax - 6 + over));
      writer.end();
    });
    if (over <= 0) {
      t.equal(await handed, lengthMax - 6 + over);
    } else {
      t.match(await ended, { reason: CloseReason.Protocol });
      await client.closed;
      t.equal(client.lastError?.code, ErrorCode.FrameTooLong);
    }
  });
}

t.test('an ERROR about the connection closes it with that error', async (t) => {
  const { client, ended } = await pair(t);
  client.write((writer) => {
    writer.begin(FrameType.Error, 0);
    writer.u16(ErrorCode.Stopped);
    writer.end();
  });
  const { reason, error } = await ended;
  t.equal(reason, CloseReason.Refused);
  t.equal(error?.code, ErrorCode.Stopped);
});

t.test('a reset is a loss with its cause, an end is not an error', async (t) => {
  const killed = await pair(t);
  killed.client.socket.resetAndDestroy();
  const lost = await killed.ended;
  t.equal(lost.reason, CloseReason.Lost);
  t.match(lost.error, { code: ErrorCode.ConnectionLost, message: 'test:1: ECONNRESET' });
  t.match(lost.error?.cause, { code: 'ECONNRESET' });
  const left = await pair(t);
  left.client.socket.end();
  t.strictSame(await left.ended, { reason: CloseReason.Remote, error: undefined });
});

t.test('an end sends what was written before, and drops what is written behind it', async (t) => {
  const { connection, client, ended } = await pair(t);
  answer(connection, 1, 3_000_000);
  connection.end();
  answer(connection, 2);
  t.match(await ended, { reason: CloseReason.Local });
  await client.closed;
  t.strictSame(
    client.frames.map(({ id, body }) => [id, body.length]),
    [[1, 3_000_000]],
  );
});

t.test('a closed connection reports once and takes writes without effect', async (t) => {
  const { connection, client } = await pair(t);
  let reported = 0;
  connection.onClose = () => {
    reported += 1;
    answer(connection, 3);
    connection.close();
  };
  connection.close();
  answer(connection, 1, 1_000_000);
  connection.flush();
  connection.refuse(new KvorumError(ErrorCode.Stopped));
  connection.tick();
  await client.closed;
  t.equal(reported, 1);
  t.equal(client.frames.length, 0);
  t.equal(connection.queuedBytes, 0);
});

t.test('whoever refuses does not wait longer than the linger for the other side', async (t) => {
  const { connection, client, clock } = await pair(t);
  client.socket.pause();
  const gone = new Promise<void>((resolve) => {
    connection.onGone = () => resolve();
  });
  answer(connection, 1, 50_000_000);
  connection.refuse(new KvorumError(ErrorCode.Stopped));
  t.equal(connection.isClosed, true);
  clock.advance(CLOSE_LINGER_MS);
  await gone;
  t.equal(connection.queuedBytes < 50_000_000, true);
});
