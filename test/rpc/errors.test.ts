import t from 'tap';
import { MessageType } from '../../include/node.ts';
import * as rpc from '../../include/rpc.ts';
import { ERRORS, ErrorCode, FrameType, KvorumError, Retry } from '../../include/rpc.ts';
import * as limits from '../../src/rpc/connection-limits.ts';

t.test('every error code has facts under its own name, and a number of its own', async (t) => {
  const codes = Object.entries(ErrorCode);
  t.equal(new Set(codes.map(([, code]) => code)).size, codes.length);
  t.equal(ERRORS.size, codes.length);
  for (const [name, code] of codes) {
    const facts = ERRORS.get(code);
    t.equal(facts?.name, name);
    t.ok(facts !== undefined && Object.values<number>(Retry).includes(facts.retry));
    t.not(facts?.text, '');
    t.ok(code > 0 && code <= 0xffff, 'it fits the wire');
  }
});

t.test('frame types and message types never meet', async (t) => {
  const types = [...Object.values(FrameType), ...Object.values(MessageType)];
  t.equal(new Set(types).size, types.length);
  t.ok(types.every((type) => type > 0 && type <= 0xff));
});

t.test('an error says its own text unless it is given one', async (t) => {
  t.equal(new KvorumError(ErrorCode.NoLeader).message, 'etcdserver: no leader');
  t.equal(new KvorumError(ErrorCode.NoLeader, 'yet').message, 'yet');
  t.equal(new KvorumError(ErrorCode.NoLeader).retry, Retry.Safe);
  const cause = new Error('below');
  t.equal(new KvorumError(ErrorCode.NoLeader, 'yet', { cause }).cause, cause);
});

t.test('the limits fit each other', async (t) => {
  t.ok(rpc.HELLO_LENGTH_MAX >= rpc.ERROR_TEXT_BYTES_MAX + 64, 'an ERROR may be the first frame');
  t.ok(rpc.HELLO_LENGTH_MAX < rpc.CLIENT_FRAME_LENGTH_MAX);
  t.ok(rpc.PING_INTERVAL_MS * 2 < rpc.PEER_SILENCE_MAX_MS, 'one PING may be late');
  t.ok(rpc.RECONNECT_MIN_MS < rpc.RECONNECT_MAX_MS);
  t.ok(rpc.PEER_FRAME_LENGTH_MAX < rpc.PEER_QUEUED_BYTES_MAX);
  t.ok(rpc.CLIENT_QUEUED_BYTES_PAUSE < rpc.CLIENT_QUEUED_BYTES_MAX);
  t.ok(rpc.SNAPSHOT_QUEUED_BYTES < rpc.PEER_QUEUED_BYTES_MAX);
  for (const { stallTicksMax, silenceTicksMax } of [
    limits.CLIENT_LIMITS,
    limits.PEER_LIMITS,
    limits.SNAPSHOT_SENDER_LIMITS,
    limits.SNAPSHOT_RECEIVER_LIMITS,
    limits.NODE_LIMITS,
  ]) {
    for (const ticks of [stallTicksMax, silenceTicksMax]) {
      t.ok(ticks === Number.POSITIVE_INFINITY || Number.isInteger(ticks));
    }
  }
});
