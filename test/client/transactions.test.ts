/** Transactions as people write them, as they travel. */

import t from 'tap';
import type { Condition, Operation, Transaction } from '../../include/client.ts';
import {
  CompareResult,
  CompareTarget,
  NO_RANGE_END,
  OpKind,
  TXN_DEPTH_MAX,
  type TxnOpResult,
} from '../../include/kvstore.ts';
import { ErrorCode, FrameType } from '../../include/rpc.ts';
import { connect } from '../../src/client/connect.ts';
import { deleteRequest, putRequest, rangeRequest } from '../../src/client/requests.ts';
import { isReadTxn, swapRequest, txnRequest } from '../../src/client/transactions.ts';
import { headerOf, redirectTo, serve, startFakeNode } from './fake-node.ts';

const nothing = { counter: 0, value: Buffer.alloc(0), lease: 0n };

t.test('a condition has one operand, equal unless said otherwise', async (t) => {
  const shaped = (condition: Omit<Condition, 'key'>) =>
    txnRequest({ when: [{ key: 'a', ...condition }] }).compares[0];
  const key = Buffer.from('a');
  const plain = { key, rangeEnd: NO_RANGE_END, result: CompareResult.Equal, ...nothing };

  t.strictSame(shaped({ version: 3 }), { ...plain, target: CompareTarget.Version, counter: 3 });
  t.strictSame(shaped({ createRevision: 0 }), { ...plain, target: CompareTarget.Create });
  t.strictSame(shaped({ modRevision: -1, operator: '>' }), {
    ...plain,
    result: CompareResult.Greater,
    target: CompareTarget.Mod,
    counter: -1,
  });
  t.strictSame(shaped({ value: '', operator: '!=' }), {
    ...plain,
    result: CompareResult.NotEqual,
    target: CompareTarget.Value,
  });
  t.strictSame(shaped({ lease: -5n, operator: '<', prefix: true }), {
    ...plain,
    rangeEnd: Buffer.from('b'),
    result: CompareResult.Less,
    target: CompareTarget.Lease,
    lease: -5n,
  });
});

t.test('operations travel in their order, each branch for itself', async (t) => {
  const transaction: Transaction = {
    then: [
      { put: 'a', value: '1', lease: 7n },
      { get: 'b', prefix: true, limit: 2 },
      { delete: 'c', rangeEnd: 'd', prevKv: true },
      { txn: { otherwise: [{ put: 'e' }] } },
    ],
    otherwise: [{ get: 'f' }],
  };
  t.strictSame(txnRequest(transaction), {
    compares: [],
    success: [
      { kind: OpKind.Put, request: putRequest('a', '1', { lease: 7n }) },
      { kind: OpKind.Range, request: rangeRequest('b', { prefix: true, limit: 2 }) },
      { kind: OpKind.DeleteRange, request: deleteRequest('c', { rangeEnd: 'd', prevKv: true }) },
      {
        kind: OpKind.Txn,
        request: {
          compares: [],
          success: [],
          failure: [{ kind: OpKind.Put, request: putRequest('e', '', {}) }],
        },
      },
    ],
    failure: [{ kind: OpKind.Range, request: rangeRequest('f', {}) }],
  });
});

/** What a caller without types may say. */
const untyped = (transaction: unknown): Transaction => transaction as Transaction;

const malformed = [
  ['two operands', { when: [{ key: 'a', version: 1, value: '' }] }, /when\[0\].*version and value/],
  ['no operand', { when: [{ key: 'a', version: 1 }, { key: 'b' }] }, /when\[1\].*found none/],
  ['no key', { when: [{ version: 1 }] }, /when\[0\]: it has no key/],
  ['an unknown operator', { when: [{ key: 'a', version: 1, operator: '<=' }] }, /"<=" is none of/],
  ['a fraction', { when: [{ key: 'a', version: 0.5 }] }, /when\[0\]\.version: 0\.5/],
  ['no operation', { then: [{ value: '1' }] }, /then\[0\].*put, get, delete, txn; found none/],
  ['two operations', { otherwise: [{ put: 'a', get: 'b' }] }, /otherwise\[0\].*found put and get/],
  [
    'a wrong one within',
    { then: [{ txn: { when: [{ key: 'a' }] } }] },
    /then\[0\]\.txn\.when\[0\]/,
  ],
] as const;
for (const [name, transaction, message] of malformed) {
  t.test(`a transaction with ${name} is refused, and told where`, async (t) => {
    t.throws(() => txnRequest(untyped(transaction)), { code: ErrorCode.FrameMalformed, message });
  });
}

t.test('transactions nest as deep as a node takes them', async (t) => {
  const nested = (depth: number): Transaction =>
    depth === 1 ? {} : { then: [{ txn: nested(depth - 1) }] };
  t.ok(txnRequest(nested(TXN_DEPTH_MAX)));
  t.throws(() => txnRequest(nested(TXN_DEPTH_MAX + 1)), { code: ErrorCode.TooManyOperations });
  const endless: { then: Operation[] } = { then: [] };
  endless.then.push({ txn: endless });
  t.throws(() => txnRequest(endless), { code: ErrorCode.TooManyOperations });
});

t.test('a transaction of reads is a read, one with another inside is not', async (t) => {
  t.ok(isReadTxn(txnRequest({})));
  t.ok(isReadTxn(txnRequest({ then: [{ get: 'a' }], otherwise: [{ get: 'b' }] })));
  t.notOk(isReadTxn(txnRequest({ then: [{ get: 'a' }], otherwise: [{ delete: 'b' }] })));
  t.notOk(isReadTxn(txnRequest({ then: [{ put: 'a' }] })));
  t.notOk(isReadTxn(txnRequest({ then: [{ txn: { then: [{ get: 'a' }] } }] })));
});

t.test('a swap compares, then writes or reads', async (t) => {
  const put = { kind: OpKind.Put, request: putRequest('a', '2', {}) } as const;
  const request = swapRequest('a', { value: '1' }, put);
  t.match(request.compares, [{ target: CompareTarget.Value, value: Buffer.from('1') }]);
  t.strictSame(request.success, [put]);
  t.match(request.failure, [{ kind: OpKind.Range, request: { key: Buffer.from('a') } }]);
  t.match(swapRequest('a', { absent: true }, put).compares, [
    { target: CompareTarget.Create, result: CompareResult.Equal, counter: 0 },
  ]);
  t.match(swapRequest('a', { modRevision: 9 }, put).compares, [{ counter: 9 }]);
});

t.test('a swap that fails tells what the key is', async (t) => {
  const facts = { createRevision: 2, modRevision: 5, version: 3, lease: 0n };
  const current = { key: Buffer.from('a'), value: Buffer.from('9'), ...facts };
  const results: TxnOpResult[] = [];
  const node = await startFakeNode(0, ({ request, reply }) => {
    const succeeded = results[0]?.kind !== OpKind.Range;
    if (request.type !== FrameType.Txn) return;
    reply({ type: request.type, body: { ...headerOf(0), succeeded, results: [...results] } });
  });
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));

  results[0] = { kind: OpKind.Put, result: { revision: 7, prevKv: undefined } };
  const done = { succeeded: true, revision: 7, current: undefined };
  t.strictSame(await client.compareAndSwap('a', { value: '8' }, '9'), done);

  const range = { revision: 7, more: false };
  results[0] = { kind: OpKind.Range, result: { ...range, kvs: [current], count: 1 } };
  const refused = { succeeded: false, revision: 7, current };
  t.strictSame(await client.compareAndSwap('a', { value: '8' }, '9'), refused);
  t.strictSame(await client.compareAndDelete('a', { version: 1 }), refused);
  results[0] = { kind: OpKind.Range, result: { ...range, kvs: [], count: 0 } };
  const absent = { ...refused, current: undefined };
  t.strictSame(await client.compareAndDelete('a', { version: 1 }), absent);
});

t.test('a transaction of reads stays with the endpoint, as reads do', async (t) => {
  const leader = await startFakeNode(0, serve(0));
  const follower = await startFakeNode(1, (asked) => {
    if (asked.mark === undefined) serve(1)(asked);
    else asked.redirect(redirectTo(leader));
  });
  const client = connect({ endpoints: [follower.endpoint] });
  t.teardown(() => Promise.all([client.close(), leader.close(), follower.close()]));
  t.equal((await client.txn({ then: [{ put: 'a' }] })).nodeId, 0);
  t.equal((await client.txn({ then: [{ get: 'a' }] })).nodeId, 1);
});

t.test('a malformed transaction rejects, and nothing is sent', async (t) => {
  const client = connect({ endpoints: ['127.0.0.1:1'] });
  const refusal = { code: ErrorCode.FrameMalformed };
  await t.rejects(client.txn(untyped({ then: [{}] })), refusal);
  await t.rejects(client.compareAndSwap('a', { version: 0.5 }, 'b'), refusal);
  await client.close();
});
