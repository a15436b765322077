/** Transactions, watches, leases and histories, against lines that etcdctl 3.4.23 printed. */

import t from 'tap';
import { EventKind, type KeyValue, OpKind, type TxnOpResult } from '../../../include/kvstore.ts';
import type { Printer } from '../../../src/client/terminal/printer.ts';
import { HEADER_FIELDS, HEADER_JSON, header, printed, STYLE } from './printed.ts';

const before: KeyValue = {
  key: Buffer.from('wk'),
  value: Buffer.from('one'),
  createRevision: 63,
  modRevision: 63,
  version: 1,
  lease: 0n,
};
const after: KeyValue = { ...before, value: Buffer.from('two'), modRevision: 64, version: 2 };
const gone: KeyValue = {
  key: Buffer.from('wk'),
  value: Buffer.alloc(0),
  createRevision: 0,
  modRevision: 65,
  version: 0,
  lease: 0n,
};

const BEFORE_JSON =
  '{"key":"d2s=","create_revision":63,"mod_revision":63,"version":1,"value":"b25l"}';
const AFTER_JSON =
  '{"key":"d2s=","create_revision":63,"mod_revision":64,"version":2,"value":"dHdv"}';

function fieldsOf(prefix: string, numbers: readonly number[], value: string): string {
  const [create, mod, version] = numbers;
  return (
    `"${prefix}Key" : "wk"\n"${prefix}CreateRevision" : ${create}\n` +
    `"${prefix}ModRevision" : ${mod}\n"${prefix}Version" : ${version}\n` +
    `"${prefix}Value" : "${value}"\n"${prefix}Lease" : 0\n`
  );
}

const results: readonly TxnOpResult[] = [
  { kind: OpKind.Put, result: { revision: 5, prevKv: before } },
  { kind: OpKind.Range, result: { revision: 5, kvs: [after], more: true, count: 2 } },
  { kind: OpKind.DeleteRange, result: { revision: 5, deleted: 1, prevKvs: [before] } },
  { kind: OpKind.Range, result: { revision: 5, kvs: [], more: false, count: 0 } },
];

t.test('a transaction prints its branch, then each answer', async (t) => {
  const txn = (printer: Printer) => printer.txn({ ...header, succeeded: true, results }, STYLE);
  const inner = '"ClusterID" : 0\n"MemberID" : 0\n"Revision" : 5\n"RaftTerm" : 0\n';
  t.equal(printed(txn, 'simple'), 'SUCCESS\n\nOK\nwk\none\n\nwk\ntwo\n\n1\nwk\none\n\n');
  t.equal(
    printed(txn, 'json'),
    `{"header":${HEADER_JSON},"succeeded":true,"responses":[` +
      `{"Response":{"ResponsePut":{"header":{"revision":5},"prev_kv":${BEFORE_JSON}}}},` +
      `{"Response":{"ResponseRange":{"header":{"revision":5},"kvs":[${AFTER_JSON}],"more":true,` +
      '"count":2}}},{"Response":{"ResponseDeleteRange":{"header":{"revision":5},"deleted":1,' +
      `"prev_kvs":[${BEFORE_JSON}]}}},{"Response":{"ResponseRange":{"header":{"revision":5}}}}]}\n`,
  );
  t.equal(
    printed(txn, 'fields'),
    `${HEADER_FIELDS}"Succeeded" : true\n${inner}${fieldsOf('Prev', [63, 63, 1], 'one')}` +
      `${inner}${fieldsOf('', [63, 64, 2], 'two')}"More" : true\n"Count" : 2\n` +
      `${inner}"Deleted" : 1\n${fieldsOf('Prev', [63, 63, 1], 'one')}` +
      `${inner}"More" : false\n"Count" : 0\n`,
  );
});

t.test('a transaction that did not succeed, or did nothing', async (t) => {
  const txn = (printer: Printer) =>
    printer.txn({ ...header, succeeded: false, results: [] }, STYLE);
  t.equal(printed(txn, 'simple'), 'FAILURE\n');
  t.equal(printed(txn, 'json'), `{"header":${HEADER_JSON}}\n`);
  t.equal(printed(txn, 'fields'), `${HEADER_FIELDS}"Succeeded" : false\n`);
});

t.test('a transaction within a transaction', async (t) => {
  const nested: TxnOpResult = {
    kind: OpKind.Txn,
    result: { revision: 5, succeeded: true, results: results.slice(3) },
  };
  const txn = (printer: Printer) =>
    printer.txn({ ...header, succeeded: true, results: [nested] }, STYLE);
  t.equal(printed(txn, 'simple'), 'SUCCESS\n\nSUCCESS\n\n');
  t.match(
    printed(txn, 'json'),
    '"responses":[{"Response":{"ResponseTxn":{"header":{"revision":5},"succeeded":true,' +
      '"responses":[{"Response":{"ResponseRange":{"header":{"revision":5}}}}]}}}]}\n',
  );
  t.match(printed(txn, 'fields'), /"Succeeded" : true\n.*"Succeeded" : true\n.*"Count" : 0\n$/s);
});

t.test('the events of a watch', async (t) => {
  const events = [
    { kind: EventKind.Put, kv: after, prevKv: before },
    { kind: EventKind.Delete, kv: gone, prevKv: undefined },
  ];
  const watch = (printer: Printer) => printer.watch({ revision: 65, events }, STYLE);
  const hex = (printer: Printer) =>
    printer.watch({ revision: 65, events: events.slice(1) }, { ...STYLE, hex: true });
  t.equal(printed(watch, 'simple'), 'PUT\nwk\none\nwk\ntwo\nDELETE\nwk\n\n');
  t.equal(printed(hex, 'simple'), 'DELETE\n\\x77\\x6b\n\n');
  t.equal(
    printed(watch, 'json'),
    `{"Header":{"revision":65},"Events":[{"kv":${AFTER_JSON},"prev_kv":${BEFORE_JSON}},` +
      '{"type":1,"kv":{"key":"d2s=","mod_revision":65}}],' +
      '"CompactRevision":0,"Canceled":false,"Created":false}\n',
  );
  t.equal(
    printed(watch, 'fields'),
    `"Revision" : 65\n"Type" : PUT\n${fieldsOf('Prev', [63, 63, 1], 'one')}` +
      `${fieldsOf('', [63, 64, 2], 'two')}"Type" : DELETE\n${fieldsOf('', [0, 65, 0], '')}`,
  );
});

t.test('the end of a watch, and a pair that is followed', async (t) => {
  const end = (printer: Printer) => printer.watchCancelled(5);
  t.equal(printed(end, 'simple'), '');
  t.equal(
    printed(end, 'json'),
    '{"Header":{},"Events":[],"CompactRevision":5,"Canceled":true,"Created":false}\n',
  );
  t.equal(printed(end, 'fields'), '"CompactRevision" : 5\n');

  const observed = (printer: Printer) => printer.observed(after, STYLE);
  t.equal(printed(observed, 'simple'), 'wk\ntwo\n');
  t.equal(printed(observed, 'json'), `{"header":{"revision":64},"kvs":[${AFTER_JSON}]}\n`);
  t.equal(printed(observed, 'fields'), `"Revision" : 64\n${fieldsOf('', [63, 64, 2], 'two')}`);
});

t.test('the history of a key is a line an entry', async (t) => {
  const put = {
    revision: 64,
    kind: 'put',
    kv: { ...after, value: Buffer.from('a\nb\xff', 'latin1') },
  } as const;
  const deletion = { revision: 65, kind: 'delete', kv: undefined } as const;
  const both = (printer: Printer) => {
    printer.history(put, STYLE);
    printer.history(deletion, STYLE);
  };
  t.equal(printed(both, 'simple'), '64 PUT 2 "a\\nb\\xff"\n65 DELETE\n');
  t.equal(
    printed((printer) => printer.history(put, { ...STYLE, hex: true }), 'simple'),
    '64 PUT 2 \\x61\\x0a\\x62\\xff\n',
  );
  t.equal(
    printed(both, 'json'),
    '{"revision":64,"kind":"PUT","create_revision":63,"version":2,"value":"YQpi/w=="}\n' +
      '{"revision":65,"kind":"DELETE"}\n',
  );
  t.equal(
    printed(both, 'fields'),
    `"Revision" : 64\n"Kind" : PUT\n${fieldsOf('', [63, 64, 2], 'a\\nb\\xff')}\n` +
      '"Revision" : 65\n"Kind" : DELETE\n\n',
  );
});

const id = 7_751_717_494_136_831_792n;
const idAndTtl = '"ID":7751717494136831792,"TTL":60';
const members = HEADER_JSON.slice(0, -1);

const leases: readonly (readonly [
  name: string,
  print: (printer: Printer) => void,
  simple: string,
  json: string,
  fields: string,
])[] = [
  [
    'a grant',
    (printer) => printer.leaseGrant({ ...header, id, ttlSeconds: 60 }),
    'lease 6b93a1fd9534ff30 granted with TTL(60s)\n',
    `${members},${idAndTtl},"Error":""}\n`,
    `${HEADER_FIELDS}"ID" : 7751717494136831792\n"TTL" : 60\n`,
  ],
  [
    'a revocation',
    (printer) => printer.leaseRevoke(header, 0x1234n),
    'lease 0000000000001234 revoked\n',
    `{"header":${HEADER_JSON}}\n`,
    HEADER_FIELDS,
  ],
  [
    'a renewal',
    (printer) => printer.leaseKeepAlive({ ...header, id, ttlSeconds: 60 }),
    'lease 6b93a1fd9534ff30 keepalived with TTL(60)\n',
    `${members},${idAndTtl}}\n`,
    `${HEADER_FIELDS}"ID" : 7751717494136831792\n"TTL" : 60\n`,
  ],
  [
    'the end of renewals',
    (printer) => printer.leaseGone(id),
    'lease 6b93a1fd9534ff30 expired or revoked.\n',
    '',
    '',
  ],
  [
    'what is left of a lease',
    (printer) => printTimeToLive(printer, 99, 100, [], { keys: false }),
    'lease 6b93a1fd9534ff30 granted with TTL(100s), remaining(99s)\n',
    `${members},"id":7751717494136831792,"ttl":99,"granted-ttl":100,"keys":null}\n`,
    `${HEADER_FIELDS}"ID" : 7751717494136831792\n"TTL" : 99\n"GrantedTTL" : 100\n`,
  ],
  [
    'what is left of a lease, with its keys',
    (printer) => printTimeToLive(printer, 99, 100, ['lk', 'lk2'], { keys: true }),
    'lease 6b93a1fd9534ff30 granted with TTL(100s), remaining(99s), attached keys([lk lk2])\n',
    `${members},"id":7751717494136831792,"ttl":99,"granted-ttl":100,"keys":["bGs=","bGsy"]}\n`,
    `${HEADER_FIELDS}"ID" : 7751717494136831792\n"TTL" : 99\n"GrantedTTL" : 100\n` +
      '"Key" : "lk"\n"Key" : "lk2"\n',
  ],
  [
    'what is left of a lease that is gone',
    (printer) => printTimeToLive(printer, -1, 0, [], { keys: true }),
    'lease 6b93a1fd9534ff30 already expired\n',
    `${members},"id":7751717494136831792,"ttl":-1,"granted-ttl":0,"keys":null}\n`,
    `${HEADER_FIELDS}"ID" : 7751717494136831792\n"TTL" : -1\n"GrantedTTL" : 0\n`,
  ],
  [
    'a list',
    (printer) => printer.leaseList({ ...header, ids: [0x1234n, id] }),
    'found 2 leases\n0000000000001234\n6b93a1fd9534ff30\n',
    `${members},"leases":[{"id":4660},{"id":7751717494136831792}]}\n`,
    `${HEADER_FIELDS}"ID" : 4660\n"ID" : 7751717494136831792\n`,
  ],
];

function printTimeToLive(
  printer: Printer,
  ttlSeconds: number,
  grantedTtlSeconds: number,
  keys: readonly string[],
  wanted: { readonly keys: boolean },
): void {
  const bytes = keys.map((key) => Buffer.from(key));
  printer.leaseTimeToLive({ ...header, id, ttlSeconds, grantedTtlSeconds, keys: bytes }, wanted);
}

for (const [name, print, simple, json, fields] of leases) {
  t.test(`of leases: ${name}`, async (t) => {
    t.equal(printed(print, 'simple'), simple);
    t.equal(printed(print, 'json'), json);
    t.equal(printed(print, 'fields'), fields);
  });
}
