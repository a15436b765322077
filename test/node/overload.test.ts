/** A member with more to do than it can: who is too many is told so at once. */

import t from 'tap';
import { NO_LOG } from '../../include/log.ts';
import {
  APPLY_BACKLOG_MAX,
  APPLY_SLICE_ENTRIES,
  READINGS_MAX,
  READS_WAITING_MAX,
  WRITE_WAIT_MAX_MS,
  WRITES_WAITING_MAX,
} from '../../include/node.ts';
import { ErrorCode, FrameType } from '../../include/rpc.ts';
import { createSystemClock } from '../../src/clock.ts';
import type { Asker } from '../../src/node/asker.ts';
import { requestRead, requestWrite } from '../../src/node/client-requests.ts';
import { Readings } from '../../src/node/readings.ts';
import { encodeCommand } from '../../src/rpc/command-codec.ts';
import { nextTick } from '../cluster/processes.ts';
import { putOf, putOp, rangeOf, txnOf } from '../kvstore/store-requests.ts';
import { LoneMember } from './lone-member.ts';

const put = { type: FrameType.Put, body: putOf('key', 'v') } as const;
const range = { type: FrameType.Range, body: rangeOf('key', '') } as const;

/** Counts what it is told. */
function createCounter() {
  const told = { answered: 0, refused: [] as ErrorCode[] };
  const asker: Asker = {
    answer: () => {
      told.answered += 1;
    },
    refuse: (_id, code) => told.refused.push(code),
    redirect: () => {},
  };
  return { asker, told };
}

t.test('one write above the limit is refused at once, the others are carried out', async (t) => {
  const lone = await LoneMember.start(t);
  const { asker, told } = createCounter();
  const data = encodeCommand(put);
  for (let count = 0; count < WRITES_WAITING_MAX; count += 1) {
    requestWrite(lone.member, asker, count, data, put);
  }
  t.strictSame(told.refused, []);
  requestWrite(lone.member, asker, WRITES_WAITING_MAX, data, put);
  t.strictSame(told.refused, [ErrorCode.TooManyRequests]);
  while (told.answered + told.refused.length <= WRITES_WAITING_MAX) await nextTick();
  // What a slow machine does not apply in time is given up, and says so.
  t.ok(told.refused.slice(1).every((code) => code === ErrorCode.TimedOut));
});

t.test('while too many committed entries wait to be applied, writes are refused', async (t) => {
  const lone = await LoneMember.start(t);
  const { asker, told } = createCounter();
  const data = encodeCommand(put);
  const count = APPLY_BACKLOG_MAX + 10 * APPLY_SLICE_ENTRIES;
  for (let id = 0; id < count; id += 1) requestWrite(lone.member, asker, id, data, put);
  while (lone.member.serving.backlog < APPLY_BACKLOG_MAX) await nextTick();
  await t.rejects(lone.write(put), { code: ErrorCode.TooManyRequests });
  while (lone.member.serving.backlog >= APPLY_BACKLOG_MAX) await nextTick();
  t.strictSame(told.refused, []);
  t.match(await lone.write(put), { nodeId: 0 }, 'and taken again behind that');
});

t.test('one read above the limit is refused at once', async (t) => {
  const lone = await LoneMember.start(t);
  const { asker, told } = createCounter();
  for (let count = 0; count < READS_WAITING_MAX; count += 1) {
    requestRead(lone.member, asker, count, range);
  }
  t.strictSame(told.refused, []);
  requestRead(lone.member, asker, READS_WAITING_MAX, range);
  t.strictSame(told.refused, [ErrorCode.TooManyRequests]);
  while (told.answered < READS_WAITING_MAX) await nextTick();
});

t.test(
  'while a write waits for long, further ones are refused instead of waiting too',
  async (t) => {
    const clock = createSystemClock();
    let skippedMs = 0;
    const skipping = { ...clock, nowMs: () => clock.nowMs() + skippedMs };
    const lone = await LoneMember.start(t, { clock: skipping, log: NO_LOG });
    const first = lone.write(put);
    skippedMs += WRITE_WAIT_MAX_MS;
    lone.member.tick();
    await t.rejects(lone.write(put), { code: ErrorCode.TooManyRequests });
    await first;
    lone.member.tick();
    skippedMs += WRITE_WAIT_MAX_MS;
    lone.member.tick();
    await lone.write(put);
  },
);

t.test('one read of several turns above the limit is refused at once', async (t) => {
  const readings = new Readings();
  const ends: unknown[] = [];
  const reading = { step: () => undefined };
  for (let count = 0; count < READINGS_MAX; count += 1) {
    readings.add<object>(reading, (result) => ends.push(result));
  }
  t.strictSame(ends, []);
  readings.add<object>(reading, (result) => ends.push(result));
  t.strictSame(ends, [ErrorCode.TooManyRequests]);
  readings.add<object>({ answer: 1 }, (result) => ends.push(result));
  t.strictSame(ends.at(-1), { answer: 1 }, 'what is answered at once is');
});

t.test('a read of a huge range does not starve puts', async (t) => {
  const lone = await LoneMember.start(t);
  const value = 'v'.repeat(2_000);
  for (let start = 0; start < 20_000; start += 100) {
    const ops = Array.from({ length: 100 }, (_, slot) => putOp(`big/${start + slot}`, value));
    await lone.write({ type: FrameType.Txn, body: txnOf([], ops) });
  }
  let isRead = false;
  const read = lone.read({ type: FrameType.Range, body: rangeOf('big/', 'big0') }).finally(() => {
    isRead = true;
  });
  let putsMeanwhile = 0;
  for (;;) {
    await lone.write(put);
    if (isRead) break;
    putsMeanwhile += 1;
  }
  t.match(await read, { count: 20_000 });
  t.ok(putsMeanwhile >= 3, `${putsMeanwhile} puts were answered before it`);
});
