/** Every answer in every format, against lines that etcdctl 3.4.23 printed. */

import t from 'tap';
import { AlarmKind, type KeyValue } from '../../../include/kvstore.ts';
import { NO_NODE } from '../../../include/node.ts';
import { createFieldsPrinter } from '../../../src/client/terminal/fields-printer.ts';
import { createJsonPrinter } from '../../../src/client/terminal/json-printer.ts';
import type { PairStyle, Printer } from '../../../src/client/terminal/printer.ts';
import { createSimplePrinter } from '../../../src/client/terminal/simple-printer.ts';
import { createTablePrinter } from '../../../src/client/terminal/table-printer.ts';
import { statusOf } from '../fake-node.ts';
import { HEADER_FIELDS, HEADER_JSON, header, printed, STYLE } from './printed.ts';

const pair: KeyValue = {
  key: Buffer.from('b'),
  value: Buffer.from('x"<y'),
  createRevision: 6,
  modRevision: 6,
  version: 1,
  lease: 0n,
};
const leased: KeyValue = { ...pair, key: Buffer.from('c'), value: Buffer.alloc(0), lease: 77n };

/** A table: its header, its rows, and rules between and around them. */
function tableOf(header: string, ...rows: readonly string[]): string {
  const rule = header.replace(/[^|]/g, '-').replaceAll('|', '+');
  return [rule, header, rule, ...rows, rule, ''].join('\n');
}

const PAIR_JSON =
  '{"key":"Yg==","create_revision":6,"mod_revision":6,"version":1,"value":"eCI8eQ=="}';

function pairFields(prefix: string): string {
  return [
    `"${prefix}Key" : "b"`,
    `"${prefix}CreateRevision" : 6`,
    `"${prefix}ModRevision" : 6`,
    `"${prefix}Version" : 1`,
    `"${prefix}Value" : "x\\"<y"`,
    `"${prefix}Lease" : 0`,
    '',
  ].join('\n');
}

t.test('a put', async (t) => {
  const plain = (printer: Printer) => printer.put({ ...header, prevKv: undefined }, STYLE);
  const withPrevious = (printer: Printer) => printer.put({ ...header, prevKv: pair }, STYLE);
  t.equal(printed(plain, 'simple'), 'OK\n');
  t.equal(printed(withPrevious, 'simple'), 'OK\nb\nx"<y\n');
  t.equal(printed(plain, 'fields'), HEADER_FIELDS);
  t.equal(printed(withPrevious, 'fields'), `${HEADER_FIELDS}${pairFields('Prev')}`);
  t.equal(printed(plain, 'json'), `{"header":${HEADER_JSON}}\n`);
  t.equal(printed(withPrevious, 'json'), `{"header":${HEADER_JSON},"prev_kv":${PAIR_JSON}}\n`);
});

t.test('a range', async (t) => {
  const none = (printer: Printer) =>
    printer.range({ ...header, kvs: [], more: false, count: 0 }, STYLE);
  const some = (style: PairStyle) => (printer: Printer) =>
    printer.range({ ...header, kvs: [pair, leased], more: true, count: 3 }, style);
  t.equal(printed(none, 'simple'), '');
  t.equal(printed(some(STYLE), 'simple'), 'b\nx"<y\nc\n\n');
  t.equal(
    printed(some({ ...STYLE, hex: true }), 'simple'),
    '\\x62\n\\x78\\x22\\x3c\\x79\n\\x63\n\n',
  );
  t.equal(printed(some({ ...STYLE, keysOnly: true }), 'simple'), 'b\n\nc\n\n');
  t.equal(printed(some({ ...STYLE, valuesOnly: true }), 'simple'), 'x"<y\n\n');
  t.equal(printed(none, 'fields'), `${HEADER_FIELDS}"More" : false\n"Count" : 0\n`);
  t.match(printed(some(STYLE), 'fields'), `${HEADER_FIELDS}${pairFields('')}"Key" : "c"\n`);
  t.match(printed(some(STYLE), 'fields'), '"Lease" : 77\n"More" : true\n"Count" : 3\n');
  t.equal(printed(none, 'json'), `{"header":${HEADER_JSON}}\n`);
  t.equal(
    printed(some(STYLE), 'json'),
    `{"header":${HEADER_JSON},"kvs":[${PAIR_JSON},{"key":"Yw==","create_revision":6,` +
      '"mod_revision":6,"version":1,"lease":77}],"more":true,"count":3}\n',
  );
});

t.test('a deletion', async (t) => {
  const none = (printer: Printer) => printer.delete({ ...header, deleted: 0, prevKvs: [] }, STYLE);
  const one = (printer: Printer) =>
    printer.delete({ ...header, deleted: 1, prevKvs: [pair] }, STYLE);
  t.equal(printed(none, 'simple'), '0\n');
  t.equal(printed(one, 'simple'), '1\nb\nx"<y\n');
  t.equal(printed(one, 'fields'), `${HEADER_FIELDS}"Deleted" : 1\n${pairFields('Prev')}`);
  t.equal(printed(none, 'json'), `{"header":${HEADER_JSON}}\n`);
  t.equal(
    printed(one, 'json'),
    `{"header":${HEADER_JSON},"deleted":1,"prev_kvs":[${PAIR_JSON}]}\n`,
  );
});

t.test('a leader transfer', async (t) => {
  const move = (printer: Printer) => printer.moveLeader(header, 31);
  t.equal(printed(move, 'simple'), 'Leadership transferred from 2bc2 to 1f\n');
  t.equal(printed(move, 'json'), `{"header":${HEADER_JSON}}\n`);
});

t.test('the status of endpoints', async (t) => {
  const status = statusOf(0x2bc2, { revision: 10 });
  const follower = statusOf(1, { leader: NO_NODE, isLearner: true });
  const print = (printer: Printer) =>
    printer.endpointStatus([{ endpoint: '127.0.0.1:24790', status }]);
  t.equal(
    printed(print, 'simple'),
    '127.0.0.1:24790, 2bc2, 0.1.0, 20 kB, true, false, 2, 14, 14, \n',
  );
  t.equal(
    printed(print, 'json'),
    `[{"Endpoint":"127.0.0.1:24790","Status":{"header":${HEADER_JSON},"version":"0.1.0",` +
      '"dbSize":20480,"leader":11202,"raftIndex":14,"raftTerm":2,"raftAppliedIndex":14,' +
      '"dbSizeInUse":16384,"dbSizeQuota":65536}}]\n',
  );
  t.equal(
    printed(print, 'fields'),
    `${HEADER_FIELDS}"Version" : "0.1.0"\n"DBSize" : 20480\n` +
      '"DBSizeInUse" : 16384\n"DBSizeQuota" : 65536\n"Leader" : 11202\n' +
      '"IsLearner" : false\n"RaftIndex" : 14\n"RaftTerm" : 2\n"RaftAppliedIndex" : 14\n' +
      '"Errors" : []\n"Endpoint" : "127.0.0.1:24790"\n\n',
  );
  const noLeader = (printer: Printer) =>
    printer.endpointStatus([{ endpoint: 'b:1', status: follower }]);
  t.equal(printed(noLeader, 'simple'), 'b:1, 1, 0.1.0, 20 kB, false, true, 2, 14, 14, \n');
  t.notMatch(printed(noLeader, 'json'), '"leader"');
  t.match(printed(noLeader, 'json'), '"isLearner":true');
  const full = statusOf(1, { alarms: [{ nodeId: 11, kind: AlarmKind.NoSpace }] });
  const alarmed = (printer: Printer) => printer.endpointStatus([{ endpoint: 'b:1', status: full }]);
  t.match(printed(alarmed, 'simple'), ', 14, 14, memberID:11 alarm:NOSPACE \n');
  t.match(printed(alarmed, 'json'), '"errors":["memberID:11 alarm:NOSPACE "]');
  t.match(printed(alarmed, 'fields'), '"Errors" : [memberID:11 alarm:NOSPACE ]\n');
  t.equal(
    printed((printer) => printer.endpointStatus([]), 'json'),
    '[]\n',
  );
});

t.test('the hash of endpoints', async (t) => {
  const reply = { ...header, hash: 2_476_346_064, compactRevision: -1, hashRevision: 9 };
  const print = (printer: Printer) =>
    printer.endpointHash([{ endpoint: '127.0.0.1:24790', reply }]);
  t.equal(printed(print, 'simple'), '127.0.0.1:24790, 2476346064\n');
  t.equal(
    printed(print, 'json'),
    `[{"Endpoint":"127.0.0.1:24790","HashKV":{"header":${HEADER_JSON},"hash":2476346064,` +
      '"compact_revision":-1,"hash_revision":9}}]\n',
  );
  t.equal(
    printed(print, 'fields'),
    `${HEADER_FIELDS}"Endpoint" : "127.0.0.1:24790"\n"Hash" : 2476346064\n\n`,
  );
  t.equal(
    printed(print, 'table'),
    tableOf('|    ENDPOINT     |    HASH    |', '| 127.0.0.1:24790 | 2476346064 |'),
  );
});

t.test('alarms', async (t) => {
  const alarms = [
    { nodeId: 11, kind: AlarmKind.NoSpace },
    { nodeId: 12, kind: AlarmKind.Corrupt },
  ];
  const print = (printer: Printer) => printer.alarms({ ...header, alarms });
  t.equal(printed(print, 'simple'), 'memberID:11 alarm:NOSPACE \nmemberID:12 alarm:CORRUPT \n');
  t.equal(
    printed(print, 'json'),
    `{"header":${HEADER_JSON},"alarms":[{"memberID":11,"alarm":1},{"memberID":12,"alarm":2}]}\n`,
  );
  t.equal(
    printed(print, 'fields'),
    `${HEADER_FIELDS}"MemberID" : 11\n"AlarmType" : NOSPACE\n\n` +
      '"MemberID" : 12\n"AlarmType" : CORRUPT\n\n',
  );
});

t.test('the health of endpoints', async (t) => {
  const print = (printer: Printer) =>
    printer.endpointHealth([
      { endpoint: 'a:1', isHealthy: true, tookMs: 0.813_123, error: '' },
      { endpoint: 'b:1', isHealthy: false, tookMs: 300, error: 'context deadline exceeded' },
    ]);
  t.equal(
    printed(print, 'simple'),
    'a:1 is healthy: successfully committed proposal: took = 813.123µs\n' +
      'stderr b:1 is unhealthy: failed to commit proposal: context deadline exceeded\n',
  );
  t.equal(
    printed(print, 'json'),
    '[{"endpoint":"a:1","health":true,"took":"813.123µs"},' +
      '{"endpoint":"b:1","health":false,"took":"300ms","error":"context deadline exceeded"}]\n',
  );
  t.equal(
    printed(print, 'fields'),
    '"Endpoint" : "a:1"\n"Health" : true\n"Took" : 813.123µs\n"Error" : \n\n' +
      '"Endpoint" : "b:1"\n"Health" : false\n"Took" : 300ms\n' +
      '"Error" : context deadline exceeded\n\n',
  );
});

t.test('tables', async (t) => {
  const status = statusOf(0x2bc2);
  t.equal(
    printed(
      (printer) => printer.endpointStatus([{ endpoint: '127.0.0.1:24790', status }]),
      'table',
    ),
    tableOf(
      '|    ENDPOINT     |  ID  | VERSION | DB SIZE | IN USE | QUOTA | IS LEADER | IS LEARNER ' +
        '| RAFT TERM | RAFT INDEX | RAFT APPLIED INDEX | ERRORS |',
      '| 127.0.0.1:24790 | 2bc2 |   0.1.0 |   20 kB |  16 kB | 66 kB |      true |      false ' +
        '|         2 |         14 |                 14 |        |',
    ),
  );
  const error = 'context deadline exceeded';
  t.equal(
    printed(
      (printer) =>
        printer.endpointHealth([
          { endpoint: '127.0.0.1:1', isHealthy: false, tookMs: 300.805_191, error },
        ]),
      'table',
    ),
    [
      '+-------------+--------+--------------+---------------------------+',
      '|  ENDPOINT   | HEALTH |     TOOK     |           ERROR           |',
      '+-------------+--------+--------------+---------------------------+',
      '| 127.0.0.1:1 |  false | 300.805191ms | context deadline exceeded |',
      '+-------------+--------+--------------+---------------------------+',
      '',
    ].join('\n'),
  );
  t.equal(
    printed((printer) => printer.endpointHealth([]), 'table'),
    [
      '+----------+--------+------+-------+',
      '| ENDPOINT | HEALTH | TOOK | ERROR |',
      '+----------+--------+------+-------+',
      '+----------+--------+------+-------+',
      '',
    ].join('\n'),
  );
});

t.test('a format says what it has no form for', async (t) => {
  const output = (): void => {};
  t.strictSame(createSimplePrinter(output, output).refused, []);
  t.strictSame(createJsonPrinter(output).refused, []);
  t.strictSame(createFieldsPrinter(output).refused, ['moveLeader', 'memberChange']);
  const { refused, ...answers } = createTablePrinter(output);
  const shown = Object.keys(answers).filter((answer) => !refused.some((name) => name === answer));
  t.strictSame(shown, [
    'memberList',
    'snapshotStatus',
    'endpointStatus',
    'endpointHash',
    'endpointHealth',
  ]);
});
