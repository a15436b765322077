import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import t from 'tap';
import { CloseReason, FrameType } from '../../include/rpc.ts';
import { NODE_LIMITS } from '../../src/rpc/connection-limits.ts';
import { dial } from '../../src/rpc/dial.ts';
import { FlushQueue } from '../../src/rpc/flush-queue.ts';
import { createMemoryPair } from '../../src/rpc/memory-pair.ts';
import { ManualClock } from './manual-clock.ts';
import { CLIENT_HELLO } from './raw-client.ts';
import { startServer } from './test-server.ts';

t.test('what is written comes out of the other end, though its buffer is used again', async (t) => {
  const [one, other] = createMemoryPair();
  const buffer = Buffer.from('first');
  await new Promise((resolve) => {
    other.on('data', resolve);
    one.write(buffer);
  });
  const chunks: string[] = [];
  other.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  for (const text of ['again', 'later']) {
    buffer.write(text);
    await new Promise((resolve) => one.write(buffer, resolve));
  }
  one.end();
  await once(other, 'end');
  t.strictSame(chunks, ['again', 'later']);
});

t.test('nothing arrives within the call that writes it', async (t) => {
  const [one, other] = createMemoryPair();
  let isWriting = true;
  const read = new Promise<boolean>((resolve) => other.on('data', () => resolve(isWriting)));
  one.write('x');
  isWriting = false;
  t.equal(await read, false);
});

t.test('a writer waits for a reader that does not read', async (t) => {
  const [one, other] = createMemoryPair();
  let writtenCount = 0;
  const chunk = Buffer.alloc(other.readableHighWaterMark);
  const written = [0, 1, 2].map(
    () =>
      new Promise<void>((resolve) =>
        one.write(chunk, () => {
          writtenCount += 1;
          resolve();
        }),
      ),
  );
  await new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));
  t.ok(writtenCount < 3, 'not all is taken');
  other.resume();
  await Promise.all(written);
});

t.test('an end that is destroyed ends the other one', async (t) => {
  const [one, other] = createMemoryPair();
  other.resume();
  one.destroy();
  await finished(other);
  t.ok(other.destroyed);
});

t.test('writing to an end that is gone fails like a broken socket', async (t) => {
  const [one, other] = createMemoryPair();
  other.destroy();
  const failed = once(one, 'error');
  one.write('x');
  t.match(await failed, [{ message: 'the other end is closed' }]);
});

t.test('a server without a port serves what it adopts, by the same rules', async (t) => {
  const server = await startServer(t, {
    port: undefined,
    onClient: (connection) => {
      connection.onFrame = (_connection, _type, id) => {
        connection.writer.begin(FrameType.Reply, id);
        connection.writer.end();
      };
    },
  });
  t.equal(server.port, 0, 'it listens nowhere');
  const ended = await new Promise((resolve) => {
    const clock = new ManualClock();
    const connection = dial(
      {
        address: 'inside',
        port: 1,
        hello: CLIENT_HELLO,
        limits: NODE_LIMITS,
        timeoutMs: 1_000,
        clock,
        flushQueue: new FlushQueue(clock),
        openStream: () => {
          const [mine, theirs] = createMemoryPair();
          server.server.adopt(theirs, 'this process');
          return mine;
        },
      },
      {
        onReady: () => {
          t.equal(connection.hello?.nodeId, 1);
          connection.onClose = (_connection, reason) => resolve(reason);
          connection.onFrame = (_connection, type, id) => {
            t.strictSame([type, id], [FrameType.Reply, 7]);
            server.clients[0]?.close();
          };
          connection.writer.begin(FrameType.Status, 7);
          connection.writer.end();
        },
        onFailed: (_reason, error) => resolve(error),
      },
    );
  });
  t.equal(ended, CloseReason.Remote);
});
