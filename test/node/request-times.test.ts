import t from 'tap';
import type { LogFields } from '../../include/log.ts';
import { NO_LOG } from '../../include/log.ts';
import {
  type Entry,
  EntryType,
  LOCAL_READS_A_TIMING,
  SLOW_REQUESTS_LOG_MS,
  SLOW_REQUESTS_LOGGED_MAX,
} from '../../include/node.ts';
import { FrameType } from '../../include/rpc.ts';
import type { Asker } from '../../src/node/asker.ts';
import { NodeMetrics } from '../../src/node/node-metrics.ts';
import type { Proposal } from '../../src/node/proposals.ts';
import type { Read, ReadRequest } from '../../src/node/reads.ts';
import { RequestTimes, UNTIMED } from '../../src/node/request-times.ts';
import { createRandom } from '../../src/random.ts';
import { drawPut, drawRange } from '../rpc/draw-requests.ts';

const asker: Asker = { answer: () => {}, refuse: () => {}, redirect: () => {} };
const body = { ...drawPut(createRandom(1)), key: Buffer.from('key') };
const point: ReadRequest = {
  type: FrameType.Range,
  body: { ...drawRange(createRandom(1)), key: Buffer.from('k'), rangeEnd: Buffer.alloc(0) },
};

function createStage() {
  const time = { nowMs: 0 };
  const clock = { nowMs: () => time.nowMs };
  const lines: LogFields[] = [];
  const events: string[] = [];
  const warn = (event: string, fields: LogFields = {}): void => {
    events.push(event);
    lines.push(fields);
  };
  const log = { ...NO_LOG, warn };
  const metrics = new NodeMetrics();
  const times = new RequestTimes({ clock, metrics, log, slowRequestMs: 300 });
  const at = (ms: number): void => {
    time.nowMs = ms;
  };
  return { at, events, lines, metrics, times };
}

function proposal(index: number, receivedMs: number): Proposal {
  const command = { type: FrameType.Put, body } as const;
  return { index, term: 1, asker, id: 1, command, receivedMs };
}

function read(request: ReadRequest, receivedMs: number): Read {
  return { asker, id: 1, request, term: 1, receivedMs };
}

const entry = (index: number): Entry => ({
  ...{ index, term: 1, type: EntryType.Command, data: Buffer.alloc(0) },
});

t.test('a slow write is logged with its parts', async (t) => {
  const { at, lines, metrics, times } = createStage();
  at(110);
  times.appended([entry(6), entry(7)], 3);
  at(150);
  times.synced(3);
  at(300);
  times.committed([entry(6), entry(7)]);
  times.wrote(proposal(7, 100), 420);
  t.strictSame(lines, [
    {
      ...{ type: 'put', key: 'key', tookMs: 320 },
      ...{ queueMs: 10, syncMs: 40, replicationMs: 190, applyMs: 120 },
    },
  ]);
  t.equal(metrics.slowRequests, 1);
  t.equal(metrics.requestsOf(FrameType.Put)?.count, 1);
});

t.test('a write below the threshold counts and is not logged', async (t) => {
  const { lines, metrics, times } = createStage();
  times.wrote(proposal(7, 0), 299);
  t.strictSame(lines, []);
  t.equal(metrics.requestsOf(FrameType.Put)?.count, 1);
});

t.test('a slow linearizable read is logged with its parts', async (t) => {
  const { lines, times } = createStage();
  const round = { index: 1, askedMs: 20, grantedMs: 320, reads: [] };
  times.read(read(point, 10), round, 321);
  t.strictSame(lines, [
    { type: 'range', key: 'k', tookMs: 311, queueMs: 10, confirmationMs: 300, applyMs: 1 },
  ]);
});

const givenUp: readonly (readonly [
  what: string,
  reached: readonly ('appended' | 'synced' | 'committed')[],
  parts: LogFields,
])[] = [
  ['not in the log', [], { queueMs: 4000 }],
  ['not synced and without a majority', ['appended'], { syncMs: 3990, replicationMs: 3990 }],
  ['without a majority', ['appended', 'synced'], { syncMs: 10, replicationMs: 3990 }],
  [
    'not synced here',
    ['appended', 'committed'],
    { syncMs: 3990, replicationMs: 10, applyMs: 3980 },
  ],
  [
    'not applied',
    ['appended', 'synced', 'committed'],
    { syncMs: 10, replicationMs: 10, applyMs: 3980 },
  ],
];
for (const [what, reached, parts] of givenUp) {
  t.test(`a write that is given up ${what} is logged with what it waits for`, async (t) => {
    const { at, events, lines, metrics, times } = createStage();
    at(110);
    if (reached.includes('appended')) times.appended([entry(7)], 3);
    at(120);
    if (reached.includes('synced')) times.synced(3);
    if (reached.includes('committed')) times.committed([entry(7)]);
    times.gaveUpWrite(proposal(7, 100), 4_100);
    const queueMs = 10;
    t.strictSame(lines, [{ type: 'put', key: 'key', tookMs: 4000, queueMs, ...parts }]);
    t.strictSame(events, ['request timed out']);
    t.equal(metrics.slowRequests, 1);
  });
}

t.test('a read that is given up is logged with what it waits for', async (t) => {
  const { events, lines, times } = createStage();
  const given = read(point, 100);
  times.gaveUpRead(given, {}, 4_100);
  times.gaveUpRead(given, { askedMs: 110 }, 4_100);
  times.gaveUpRead(given, { askedMs: 110, grantedMs: 120 }, 4_100);
  const head = { type: 'range', key: 'k', tookMs: 4000 };
  t.strictSame(lines, [
    { ...head, queueMs: 4000 },
    { ...head, queueMs: 10, confirmationMs: 3990 },
    { ...head, queueMs: 10, confirmationMs: 10, applyMs: 3980 },
  ]);
  t.strictSame(new Set(events), new Set(['request timed out']));
});

t.test('a flood of slow requests is logged a few a second, the others are counted', async (t) => {
  const { lines, metrics, times } = createStage();
  const count = SLOW_REQUESTS_LOGGED_MAX + 5;
  for (let each = 0; each < count; each += 1) times.wrote(proposal(each, 0), 1_000);
  t.equal(lines.length, SLOW_REQUESTS_LOGGED_MAX);
  times.wrote(proposal(count, 0), 1_000 + SLOW_REQUESTS_LOG_MS);
  t.equal(lines.length, SLOW_REQUESTS_LOGGED_MAX + 1);
  t.equal(lines.at(-1)?.notLogged, 5);
  t.equal(metrics.slowRequests, count + 1);
});

t.test('of reads of a key that are answered at once one in some is timed for all', async (t) => {
  const { metrics, times } = createStage();
  for (let each = 0; each < 3 * LOCAL_READS_A_TIMING; each += 1) {
    const receivedMs = times.beginLocal(point);
    if (receivedMs !== UNTIMED) times.read(read(point, receivedMs), undefined, 1);
  }
  t.equal(metrics.requestsOf(FrameType.Range)?.count, 3 * LOCAL_READS_A_TIMING);
});

t.test('every read of a range is timed', async (t) => {
  const { metrics, times } = createStage();
  const range = { ...point, body: { ...point.body, rangeEnd: Buffer.from('z') } } as ReadRequest;
  for (let each = 0; each < 5; each += 1) {
    const receivedMs = times.beginLocal(range);
    t.not(receivedMs, UNTIMED);
    times.read(read(range, receivedMs), undefined, 1);
  }
  t.equal(metrics.requestsOf(FrameType.Range)?.count, 5);
});
