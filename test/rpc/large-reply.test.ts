/** Replies that are written over several turns: the same bytes, and others pass them. */

import t, { type Test } from 'tap';
import type { KeyValue } from '../../include/kvstore.ts';
import { ErrorCode, FrameType, type RangeReply } from '../../include/rpc.ts';
import { Connection } from '../../src/rpc/connection.ts';
import { CLIENT_LIMITS } from '../../src/rpc/connection-limits.ts';
import { FlushQueue } from '../../src/rpc/flush-queue.ts';
import { isLargeReply, LargeReply } from '../../src/rpc/large-reply.ts';
import { createMemoryPair } from '../../src/rpc/memory-pair.ts';
import { writeReply } from '../../src/rpc/reply-codec.ts';
import { bytesOf, framesOf, takeBytes, writeStatus } from './frames.ts';
import { ManualClock } from './manual-clock.ts';

function open(t: Test, limits = CLIENT_LIMITS): Connection {
  const clock = new ManualClock();
  const [socket] = createMemoryPair();
  const connection = new Connection(socket, 'test:1', limits, clock, new FlushQueue(clock));
  t.teardown(() => connection.close());
  return connection;
}

function replyOf(count: number, valueBytes = 10): RangeReply {
  const value = Buffer.alloc(valueBytes, 'v');
  const kvs = Array.from({ length: count }, (_, number): KeyValue => {
    const key = Buffer.from(`key-${number}`);
    return { key, value, createRevision: number, modRevision: number, version: 1, lease: 7n };
  });
  return { clusterId: 1n, nodeId: 2, revision: 9, term: 3, kvs, more: true, count: count + 1 };
}

t.test('a reply over several turns is the frame that one turn would write', async (t) => {
  for (const count of [2_001, 4_000, 10_000]) {
    const { writer } = open(t);
    const connection = open(t);
    const body = replyOf(count);
    t.ok(isLargeReply(body));
    const large = new LargeReply(connection, 5, body);
    let steps = 1;
    while (!large.step()) steps += 1;
    t.equal(steps, Math.ceil(count / 2_000));
    writeReply(writer, 5, { type: FrameType.Range, body });
    t.ok(takeBytes(connection.writer).equals(takeBytes(writer)), `${count} pairs`);
  }
});

t.test('large values make more turns', async (t) => {
  t.notOk(isLargeReply(replyOf(2_000)));
  t.notOk(isLargeReply(replyOf(1, 1_500_000)));
  const body = replyOf(9, 1_500_000);
  t.ok(isLargeReply(body));
  const connection = open(t);
  const large = new LargeReply(connection, 5, body);
  let steps = 1;
  while (!large.step()) steps += 1;
  t.equal(steps, 5);
});

t.test('what is said meanwhile goes first, what comes after follows', async (t) => {
  const connection = open(t);
  const { writer } = connection;
  const large = new LargeReply(connection, 5, replyOf(5_000));
  writeStatus(writer, 1);
  large.step();
  writeStatus(writer, 2);
  while (!large.step());
  writeStatus(writer, 3);
  const ids = framesOf(takeBytes(writer)).map(({ id }) => id);
  t.strictSame(ids, [1, 2, 5, 3]);
  t.equal(writer.answerCount, 1);
});

t.test('a reply alone is pending, and leaves', async (t) => {
  const connection = open(t);
  const large = new LargeReply(connection, 5, replyOf(3_000));
  t.equal(connection.queuedBytes, 0);
  while (!large.step());
  const expected = bytesOf((writer) =>
    writeReply(writer, 5, { type: FrameType.Range, body: replyOf(3_000) }),
  );
  t.equal(connection.queuedBytes, expected.length);
});

t.test('one that is too long for a frame is an error, to its asker alone', async (t) => {
  const connection = open(t, { ...CLIENT_LIMITS, writeLengthMax: 100_000 });
  const large = new LargeReply(connection, 5, replyOf(3_000));
  while (!large.step());
  const [frame, ...more] = framesOf(takeBytes(connection.writer));
  t.match(frame, { type: FrameType.Error, id: 5 });
  t.equal(frame?.body.readUInt16BE(0), ErrorCode.ReplyTooLarge);
  t.strictSame(more, []);
});

t.test('a connection that ended meanwhile is told nothing more', async (t) => {
  const connection = open(t);
  const large = new LargeReply(connection, 5, replyOf(5_000));
  large.step();
  connection.close();
  t.ok(large.step());
  t.equal(connection.queuedBytes, 0);
});
