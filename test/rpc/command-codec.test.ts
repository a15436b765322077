import t from 'tap';
import {
  type Command,
  ErrorCode,
  FrameType,
  type InternalCommand,
  type OnceCommand,
} from '../../include/rpc.ts';
import { createRandom } from '../../src/random.ts';
import {
  commandFromFrame,
  decodeCommand,
  decodeWrite,
  encodeCommand,
  isWriteType,
} from '../../src/rpc/command-codec.ts';
import { decodeRequest, writeRequest } from '../../src/rpc/request-codec.ts';
import { drawAlarm } from './draw-replies.ts';
import {
  drawCheckpoint,
  drawCommand,
  drawExpire,
  drawMark,
  drawOnce,
  drawPut,
} from './draw-requests.ts';
import { frameOf } from './frames.ts';

const random = createRandom(5);

/** A write of each type. */
const writes: readonly (Command | OnceCommand)[] = [
  { type: FrameType.SessionOpen, body: { ttlSeconds: 60 } },
  { type: FrameType.AlarmSet, body: { action: 1, ...drawAlarm(random) } },
  ...Array.from({ length: 60 }, () => drawCommand(random)),
  ...Array.from({ length: 20 }, () => drawOnce(random)),
];

/** What only a leader proposes. */
const internals: readonly InternalCommand[] = [
  { type: FrameType.Expire, body: drawExpire(random) },
  { type: FrameType.LeaseCheckpoint, body: drawCheckpoint(random) },
  { type: FrameType.ClusterVersion, body: { version: 2 } },
  { type: FrameType.HashCheck },
];

/** The data of a ONCE around so much data of an entry. */
function onceAround(data: Buffer): Buffer {
  const mark = Buffer.alloc(24);
  mark[15] = 1;
  return Buffer.concat([Buffer.from([FrameType.Once]), mark, data]);
}

t.test('every write is stored as its type byte and its body', async (t) => {
  t.equal(new Set(writes.map(({ type }) => type)).size, 9, 'there is one of each type');
  for (const write of writes) {
    const { type, body } = frameOf((writer) => writeRequest(writer, 9, write));
    const data = commandFromFrame(type, body, 0, body.length);
    t.strictSame(data, Buffer.concat([Buffer.from([type]), body]));
    t.strictSame(encodeCommand(write), data, 'the node encodes it the same');
    t.strictSame(decodeWrite(data), write);
    t.strictSame(decodeCommand(data), write);
  }
});

t.test('a write is copied out of its frame', async (t) => {
  const put = drawPut(random);
  const { type, body } = frameOf((writer) =>
    writeRequest(writer, 9, { type: FrameType.Put, body: put }),
  );
  const chunk = Buffer.concat([Buffer.from('before'), body, Buffer.from('behind')]);
  const data = commandFromFrame(type, chunk, 6, 6 + body.length);
  chunk.fill(0);
  t.strictSame(decodeWrite(data), { type: FrameType.Put, body: put });
});

t.test('a put of a session is read without a copy', async (t) => {
  const body = { ...drawPut(random), value: Buffer.from('a value') };
  const command = { type: FrameType.Put, body } as const;
  const data = encodeCommand({ type: FrameType.Once, mark: drawMark(random), command });
  const read = decodeCommand(data) as { command: typeof command };
  t.equal(read.command.body.value.buffer, data.buffer);
  t.equal(read.command.body.value.toString(), 'a value');
});

t.test('what a leader proposes is read from the log', async (t) => {
  for (const command of internals) {
    t.strictSame(decodeCommand(encodeCommand(command)), command);
  }
});

t.test('what a leader proposes is refused from a client', async (t) => {
  for (const command of internals) {
    const data = encodeCommand(command);
    const { type } = command;
    const refused = { code: ErrorCode.FrameUnknown };
    t.notOk(isWriteType(type));
    t.throws(() => commandFromFrame(type, data, 1, data.length), refused);
    t.throws(() => decodeWrite(data), refused);
    t.throws(() => decodeRequest(type, data, 1, data.length), refused);
    const once = onceAround(data);
    t.throws(() => decodeWrite(once), refused, 'within a session too');
    t.throws(() => decodeRequest(FrameType.Once, once, 1, once.length), refused);
    t.throws(() => decodeCommand(once), refused, 'and no log holds it');
  }
});

t.test('a session writes, and does nothing else', async (t) => {
  for (const type of [
    FrameType.SessionOpen,
    FrameType.Once,
    FrameType.Range,
    FrameType.Status,
    FrameType.LeaseKeepAlive,
    FrameType.WatchCreate,
  ]) {
    const data = onceAround(Buffer.concat([Buffer.from([type]), Buffer.alloc(40)]));
    t.throws(() => decodeCommand(data), { code: ErrorCode.FrameUnknown }, `type ${type}`);
  }
});

t.test('writes of a session are numbered from 1', async (t) => {
  const { type, mark, command } = drawOnce(random);
  const data = encodeCommand({ type, mark: { ...mark, sequence: 0 }, command });
  t.throws(() => decodeCommand(data), { code: ErrorCode.FrameMalformed });
});

t.test('data that is no write is refused', async (t) => {
  t.throws(() => decodeCommand(Buffer.alloc(0)), { code: ErrorCode.FrameMalformed });
  t.throws(() => decodeWrite(Buffer.alloc(0)), { code: ErrorCode.FrameMalformed });
  for (const type of [FrameType.Range, FrameType.Status, FrameType.Reply, 0xff]) {
    const data = Buffer.from([type]);
    t.throws(() => decodeCommand(data), { code: ErrorCode.FrameUnknown });
    t.throws(() => commandFromFrame(type, data, 1, 1), { code: ErrorCode.FrameUnknown });
  }
});
