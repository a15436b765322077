import t from 'tap';
import { EntryType, type Message, MessageType } from '../../include/node.ts';
import {
  ConnectionRole,
  ERROR_TEXT_BYTES_MAX,
  ErrorCode,
  FrameType,
  KvorumError,
  PROTOCOL_VERSION,
  PROTOCOL_VERSION_MIN,
} from '../../include/rpc.ts';
import { createRandom } from '../../src/random.ts';
import {
  decodeError,
  decodeHello,
  writeError,
  writeHello,
} from '../../src/rpc/connection-codec.ts';
import { decodeMessage, writeMessage } from '../../src/rpc/raft-codec.ts';
import { decodeSnapshotBegin } from '../../src/rpc/snapshot-codec.ts';
import { drawMessage } from './draw.ts';
import { frameOf } from './frames.ts';
import { SAMPLES } from './samples.ts';

const ROUND_TRIPS = 200;

t.test('the table of samples covers every frame type and message type', async (t) => {
  const covered = new Set(SAMPLES.map(({ type }) => type));
  for (const type of Object.values(FrameType)) t.ok(covered.has(type), `frame type ${type}`);
  for (const type of Object.values(MessageType)) {
    t.equal(covered.has(type), type !== MessageType.Snapshot, `message type ${type}`);
  }
});

for (const { name, type, draw, write, decode, isCutRefused } of SAMPLES) {
  t.test(`a ${name} is read as it was written`, async (t) => {
    const random = createRandom(type);
    for (let round = 0; round < ROUND_TRIPS; round += 1) {
      const value = draw(random);
      const id = random.below(0x1_0000_0000);
      const frame = frameOf((writer) => write(writer, id, value));
      t.equal(frame.type, type);
      const padded = Buffer.concat([Buffer.from('junk'), frame.body, Buffer.from('junk')]);
      const read = decode(padded, 4, 4 + frame.body.length);
      if (!t.strictSame(read, value)) break;
    }
  });

  t.test(`a ${name} cut at any byte is refused, or shorter in its last field`, async (t) => {
    const value = draw(createRandom(type + 1));
    const { body } = frameOf((writer) => write(writer, 1, value));
    for (let cut = 0; cut < body.length; cut += 1) {
      let isRefused = false;
      try {
        decode(body, 0, cut);
      } catch (error) {
        isRefused = true;
        if (!(error instanceof KvorumError)) throw error;
      }
      if (isCutRefused && !isRefused) t.fail(`cut at ${cut} of ${body.length} was accepted`);
    }
  });

  if (isCutRefused) {
    t.test(`a ${name} with a byte too many is refused`, async (t) => {
      const value = draw(createRandom(type + 2));
      const { body } = frameOf((writer) => write(writer, 1, value));
      const long = Buffer.concat([body, Buffer.alloc(1)]);
      t.throws(() => decode(long, 0, long.length), { code: ErrorCode.FrameMalformed });
    });
  }
}

t.test('magic and version of a HELLO are judged before the rest', async (t) => {
  const hello = {
    version: PROTOCOL_VERSION,
    role: ConnectionRole.Client,
    clusterId: 0n,
    nodeId: -1,
    targetId: -1,
  };
  const { body } = frameOf((writer) => writeHello(writer, hello));
  const foreign = Buffer.from(body);
  foreign[0] = 0;
  t.throws(() => decodeHello(foreign, 0, 4), { code: ErrorCode.HelloExpected });
  const older = Buffer.from(body);
  older.writeUInt16BE(PROTOCOL_VERSION_MIN - 1, 4);
  t.throws(() => decodeHello(older, 0, 6), { code: ErrorCode.VersionMismatch });
  const newer = Buffer.from(body);
  newer.writeUInt16BE(PROTOCOL_VERSION + 1, 4);
  t.match(decodeHello(newer, 0, newer.length), { version: PROTOCOL_VERSION + 1 });
});

t.test('the text of an ERROR is cut between characters at its limit', async (t) => {
  for (const over of [-1, 0, 1]) {
    const text = 'a'.repeat(ERROR_TEXT_BYTES_MAX + over);
    const { body } = frameOf((writer) => writeError(writer, 1, ErrorCode.NoLeader, text));
    const sent = decodeError(body, 0, body.length).message;
    t.equal(sent.length, Math.min(text.length, ERROR_TEXT_BYTES_MAX));
  }
  const wide = `${'a'.repeat(ERROR_TEXT_BYTES_MAX - 1)}€`;
  const { body } = frameOf((writer) => writeError(writer, 1, ErrorCode.NoLeader, wide));
  t.equal(decodeError(body, 0, body.length).message, wide.slice(0, -1));
});

t.test('an ERROR without text or with an unknown code', async (t) => {
  const { body } = frameOf((writer) => writeError(writer, 1, ErrorCode.NoLeader, ''));
  t.equal(decodeError(body, 0, body.length).message, 'etcdserver: no leader');
  const unknown = Buffer.from([0xff, 0xff]);
  t.throws(() => decodeError(unknown, 0, 2), { code: ErrorCode.FrameMalformed });
  const notText = Buffer.from([0, ErrorCode.NoLeader, 0xff]);
  t.throws(() => decodeError(notText, 0, 3), { code: ErrorCode.FrameMalformed });
});

const append: Message = {
  ...drawMessage(createRandom(1), MessageType.Append),
  term: 7,
  index: 10,
  logTerm: 5,
  entries: [
    { index: 11, term: 5, type: EntryType.Command, data: Buffer.from('one') },
    { index: 12, term: 7, type: EntryType.Empty, data: Buffer.alloc(0) },
  ],
};
const entry = append.entries[0]!;

t.test('the entries of an Append share one copy and none of the frame', async (t) => {
  const { body } = frameOf((writer) => writeMessage(writer, append));
  const read = decodeMessage(MessageType.Append, body, 0, body.length);
  body.fill(0xff);
  t.strictSame(read, append);
  t.equal(read.entries[0]?.data.buffer, read.entries[1]?.data.buffer);
});

const wrongMessages: readonly (readonly [string, Message])[] = [
  ['entries that leave a gap', { ...append, index: 9 }],
  ['entries that overlap', { ...append, index: 11 }],
  ['an entry of a later term than its sender', { ...append, term: 6 }],
  ['an entry of an earlier term than the one before', { ...append, logTerm: 6 }],
  ['an entry of term 0', { ...append, logTerm: 0, entries: [{ ...entry, term: 0 }] }],
  ['an entry of an unknown type', { ...append, entries: [{ ...entry, type: 3 as EntryType }] }],
  ['entries in a heartbeat', { ...append, type: MessageType.Heartbeat }],
];
for (const [name, message] of wrongMessages) {
  t.test(`a message with ${name} is refused`, async (t) => {
    const { body } = frameOf((writer) => writeMessage(writer, message));
    t.throws(() => decodeMessage(message.type, body, 0, body.length), {
      code: ErrorCode.FrameMalformed,
    });
  });
}

t.test('a Snapshot message never travels as a frame', async (t) => {
  const { body } = frameOf((writer) => writeMessage(writer, append));
  t.throws(() => decodeMessage(MessageType.Snapshot, body, 0, body.length), {
    code: ErrorCode.FrameUnknown,
  });
});

const wrongIds = [
  ['in falling order', [2, 1]],
  ['with a double', [1, 1]],
  ['with the number that means none', [0xffff_ffff]],
] as const;
for (const [name, ids] of wrongIds) {
  t.test(`a configuration ${name} is refused`, async (t) => {
    const body = Buffer.alloc(16 + 12 + 4 * ids.length);
    body.writeUInt32BE(ids.length, 16);
    for (const [slot, id] of ids.entries()) body.writeUInt32BE(id, 20 + 4 * slot);
    t.throws(() => decodeSnapshotBegin(body, 0, body.length), { code: ErrorCode.FrameMalformed });
  });
}
