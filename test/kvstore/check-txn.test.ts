/** Transactions refused before they are proposed: limits at -1, 0, +1; keys written twice. */

import t from 'tap';
import {
  type Compare,
  CompareResult,
  CompareTarget,
  LEASE_TTL_SECONDS_MAX,
  OpKind,
  REQUEST_BYTES_MAX,
  TXN_DEPTH_MAX,
  TXN_OPS_MAX,
  TXN_PARTS_MAX,
  type TxnOp,
  type TxnRequest,
} from '../../include/kvstore.ts';
import { FrameType, type Request } from '../../include/rpc.ts';
import { checkRequest, isReadOnly } from '../../src/kvstore/check-request.ts';
import { KeyIntervals } from '../../src/kvstore/key-intervals.ts';
import { createRandom, type Random } from '../../src/random.ts';
import {
  compareOf,
  delOp,
  putOf,
  putOp,
  rangeOf,
  rangeOp,
  showError,
  txnOf,
  txnOp,
} from './store-requests.ts';

function show(request: Request): string {
  const code = checkRequest(request);
  return code === 0 ? 'fine' : showError(code);
}

function check(success: readonly TxnOp[], failure: readonly TxnOp[] = []): string {
  return show({ type: FrameType.Txn, body: txnOf([], success, failure) });
}

function repeat(count: number, op: (slot: number) => TxnOp): TxnOp[] {
  return Array.from({ length: count }, (_, slot) => op(slot));
}

function gets(count: number): TxnOp[] {
  return repeat(count, () => rangeOp('k'));
}

t.test('the operations of a transaction are checked as they are alone', (t) => {
  const table: readonly [string, TxnOp, string][] = [
    ['a put without key', putOp('', 'v'), 'KeyEmpty'],
    ['a put with a value to ignore', putOp('k', 'v', { ignoreValue: true }), 'ValueProvided'],
    [
      'a put with a lease to ignore',
      putOp('k', '', { ignoreLease: true, lease: 1n }),
      'LeaseProvided',
    ],
    ['a put of a long key', putOp('k'.repeat(1901), 'v'), 'KeyTooLong'],
    ['a range without key', rangeOp(''), 'KeyEmpty'],
    ['a range up to a long key', rangeOp('k', 'k'.repeat(1902)), 'KeyTooLong'],
    ['a deletion without key', delOp(''), 'KeyEmpty'],
    ['a good put', putOp('k', 'v'), 'fine'],
  ];
  for (const [title, op, expected] of table) {
    t.equal(check([op]), expected, title);
    t.equal(check([], [op]), expected, `${title}, in the other branch`);
    t.equal(check([], [txnOp([], [], [op])]), expected, `${title}, nested`);
  }
  const unsorted: TxnOp = {
    kind: OpKind.Range,
    request: Object.assign(rangeOf('k'), { sortOrder: 3 }),
  };
  t.equal(check([unsorted]), 'InvalidSort');
  t.end();
});

t.test('compares are checked before operations', (t) => {
  const one = (compare: Compare): string =>
    show({ type: FrameType.Txn, body: txnOf([compare], [putOp('', '')]) });
  const good = compareOf('k', CompareTarget.Version, CompareResult.Equal, 0);
  t.equal(one(good), 'KeyEmpty', 'the operation comes after it');
  t.equal(one({ ...good, key: Buffer.from('k'.repeat(1902)) }), 'KeyTooLong');
  // A decoder hands enums on as numbers.
  t.equal(one(Object.assign({ ...good }, { target: 5 })), 'InvalidCompare');
  t.equal(one(Object.assign({ ...good }, { result: 4 })), 'InvalidCompare');
  t.equal(one(Object.assign({ ...good }, { target: 5, key: Buffer.alloc(0) })), 'KeyEmpty');
  t.end();
});

t.test('a transaction has so many operations, and one in it what is left', (t) => {
  t.equal(check(gets(TXN_OPS_MAX)), 'fine');
  t.equal(check(gets(TXN_OPS_MAX + 1)), 'TooManyOperations');
  t.equal(check([], gets(TXN_OPS_MAX + 1)), 'TooManyOperations');
  const compares = Array.from({ length: TXN_OPS_MAX + 1 }, () =>
    compareOf('k', CompareTarget.Version, CompareResult.Equal, 0),
  );
  t.equal(show({ type: FrameType.Txn, body: txnOf(compares) }), 'TooManyOperations');
  const fine = show({ type: FrameType.Txn, body: txnOf(compares.slice(1), gets(TXN_OPS_MAX)) });
  t.equal(fine, 'fine');
  // 101 of 128 leave 27.
  t.equal(check([...gets(100), txnOp([], gets(27))]), 'fine');
  t.equal(check([...gets(100), txnOp([], gets(28))]), 'TooManyOperations');
  t.equal(check([txnOp([], gets(27))], gets(101)), 'fine', 'the longest list counts');
  t.equal(check([txnOp([], gets(28))], gets(101)), 'TooManyOperations');
  t.end();
});

t.test('transactions within each other are so deep, and so many parts in all', (t) => {
  const nest = (depth: number): TxnRequest =>
    depth === 1 ? txnOf([], gets(1)) : txnOf([], [{ kind: OpKind.Txn, request: nest(depth - 1) }]);
  t.equal(show({ type: FrameType.Txn, body: nest(TXN_DEPTH_MAX) }), 'fine');
  t.equal(show({ type: FrameType.Txn, body: nest(TXN_DEPTH_MAX + 1) }), 'TooManyOperations');
  const parts = (last: number) =>
    check([...repeat(63, () => txnOp([], gets(64), gets(64))), txnOp([], gets(64), gets(last))]);
  t.equal(64 + 128 * 64 - TXN_PARTS_MAX, 64, 'the next two are at the limit and over it');
  t.equal(parts(0), 'fine');
  t.equal(parts(1), 'TooManyOperations');
  t.end();
});

t.test('a transaction has so many bytes', (t) => {
  const half = 'v'.repeat(REQUEST_BYTES_MAX / 2);
  // 64 bytes for the request, 16 and a key of 1 for each put.
  const room = REQUEST_BYTES_MAX / 2 - 64 - 2 * 17;
  const sized = (bytes: number) => check([putOp('a', half), putOp('b', 'v'.repeat(bytes))]);
  t.equal(sized(room - 1), 'fine');
  t.equal(sized(room), 'fine');
  t.equal(sized(room + 1), 'RequestTooLarge');
  const value = Buffer.alloc(REQUEST_BYTES_MAX);
  const compare = { ...compareOf('k', CompareTarget.Value, CompareResult.Equal, 0), value };
  t.equal(show({ type: FrameType.Txn, body: txnOf([compare]) }), 'RequestTooLarge');
  t.end();
});

t.test('a key is written once in a revision', (t) => {
  const table: readonly [string, readonly TxnOp[], string][] = [
    ['two puts', [putOp('a'), putOp('b')], 'fine'],
    ['two puts of a key', [putOp('a'), putOp('a')], 'DuplicateKey'],
    ['a put and a deletion', [putOp('a'), delOp('a')], 'DuplicateKey'],
    ['a deletion and a put', [delOp('a'), putOp('a')], 'DuplicateKey'],
    ['a put at the start of a deletion', [delOp('a', 'c'), putOp('a')], 'DuplicateKey'],
    ['a put at the end of a deletion', [delOp('a', 'c'), putOp('c')], 'fine'],
    ['a put beside a deletion of nothing', [delOp('c', 'a'), putOp('b')], 'fine'],
    ['deletions that overlap', [delOp('a', 'c'), delOp('b', 'd')], 'fine'],
    ['a deletion from a key on, and a put', [delOp('a', '\0'), putOp('b')], 'fine'],
    ['a nested put', [txnOp([], [putOp('a')]), putOp('a')], 'DuplicateKey'],
    ['a nested put and a deletion', [txnOp([], [putOp('a')]), delOp('a')], 'DuplicateKey'],
    ['a nested deletion and a put', [txnOp([], [], [delOp('a')]), putOp('a')], 'DuplicateKey'],
    ['both branches', [txnOp([], [putOp('a')], [putOp('a')])], 'fine'],
    ['a put or a deletion', [txnOp([], [putOp('a')], [delOp('a')])], 'fine'],
    ['either, and a put', [txnOp([], [putOp('a')], [putOp('b')]), putOp('b')], 'DuplicateKey'],
    [
      'puts beside each other',
      [txnOp([], [putOp('a')]), txnOp([], [], [putOp('a')])],
      'DuplicateKey',
    ],
    [
      'a deletion, then a put beside it',
      [txnOp([], [delOp('a')]), txnOp([], [putOp('a')])],
      'DuplicateKey',
    ],
    [
      'a put, then a deletion beside it',
      [txnOp([], [putOp('a')]), txnOp([], [delOp('a')])],
      'fine',
    ],
  ];
  for (const [title, ops, expected] of table) {
    t.equal(check(ops), expected, title);
    t.equal(check([], ops), expected, `${title}, in the other branch`);
  }
  t.equal(check([putOp('a')], [putOp('a')]), 'fine', 'one in each branch');
  t.end();
});

const KEYS = ['a', 'b', 'b\0', 'c', 'd', 'e'];

function randomOps(random: Random, depth: number): TxnOp[] {
  return repeat(random.below(4), () => {
    const key = KEYS[random.below(KEYS.length)]!;
    const choice = random.below(depth === 3 ? 2 : 3);
    if (choice === 0) return putOp(key);
    if (choice === 1) return delOp(key, ['', '', '\0', ...KEYS][random.below(9)]!);
    return txnOp([], randomOps(random, depth + 1), randomOps(random, depth + 1));
  });
}

/** A write, and where: slots of operations and, of each transaction around it, the branch. */
type Write = { readonly op: TxnOp; readonly path: readonly number[] };

function listWrites(ops: readonly TxnOp[], path: readonly number[]): Write[] {
  return ops.flatMap((op, slot) =>
    op.kind === OpKind.Txn
      ? [
          ...listWrites(op.request.success, [...path, slot, 0]),
          ...listWrites(op.request.failure, [...path, slot, 1]),
        ]
      : [{ op, path: [...path, slot] }],
  );
}

/** Whether two writes of one branch exclude each other, `a` before `b`: the rules one by one. */
function clash(a: Write, b: Write): boolean {
  let apart = 0;
  while (a.path[apart] === b.path[apart]) apart += 1;
  // Paths alternate between slots and branches: apart at a branch, only one of them runs.
  if (apart % 2 === 1) return false;
  const [put, other] = a.op.kind === OpKind.Put ? [a.op, b.op] : [b.op, a.op];
  if (put.kind !== OpKind.Put) return false;
  if (other.kind === OpKind.Put) return put.request.key.equals(other.request.key);
  if (other.kind !== OpKind.DeleteRange) return false;
  const areBothNested = a.path.length > apart + 1 && b.path.length > apart + 1;
  if (areBothNested && a.op === put) return false;
  const { key, rangeEnd } = other.request;
  if (rangeEnd.length === 0) return put.request.key.equals(key);
  return put.request.key.compare(key) >= 0 && put.request.key.compare(rangeEnd) < 0;
}

t.test('keys written twice are found as by comparing all writes with each other', async (t) => {
  let refused = 0;
  const rounds = 20_000;
  for (let seed = 1; seed <= rounds; seed += 1) {
    const ops = randomOps(createRandom(seed), 1);
    const writes = listWrites(ops, []);
    const isDuplicate = writes.some((a, slot) => writes.slice(slot + 1).some((b) => clash(a, b)));
    const expected = isDuplicate ? 'DuplicateKey' : 'fine';
    if (isDuplicate) refused += 1;
    if (check(ops) === expected) continue;
    t.equal(check(ops), expected, `seed ${seed}`);
    return;
  }
  t.ok(refused > rounds / 10, `${refused} of ${rounds} were refused`);
  t.ok(refused < rounds - rounds / 10);
});

t.test('intervals hold the keys that were added', async (t) => {
  const letters = 'abcdefghij'.split('');
  for (let seed = 1; seed <= 2_000; seed += 1) {
    const random = createRandom(seed);
    const intervals = new KeyIntervals();
    const others = new KeyIntervals();
    const keys = new Set<string>();
    for (let count = random.below(8); count > 0; count -= 1) {
      const [from, to] = [letters[random.below(10)]!, letters[random.below(10)]!];
      (random.below(2) === 0 ? intervals : others).add(from, to);
      for (const key of letters) if (key >= from && key < to) keys.add(key);
    }
    intervals.addAll(others);
    const found = letters.filter((key) => intervals.has(key));
    if (found.join('') === [...keys].sort().join('')) continue;
    t.equal(found.join(''), [...keys].sort().join(''), `seed ${seed}`);
    return;
  }
  t.pass('no difference found');
});

t.test('a transaction only reads if nothing in it writes, whichever branch', (t) => {
  t.ok(isReadOnly(txnOf()));
  t.ok(isReadOnly(txnOf([], [rangeOp('a')], [rangeOp('b')])));
  t.ok(isReadOnly(txnOf([], [txnOp([], [rangeOp('a')])])));
  t.notOk(isReadOnly(txnOf([], [putOp('a')])));
  t.notOk(isReadOnly(txnOf([], [], [delOp('a')])));
  t.notOk(isReadOnly(txnOf([], [rangeOp('a'), txnOp([], [], [putOp('a')])])));
  t.end();
});

t.test('a grant is refused for its time, a write of a session for what it is', (t) => {
  const grant = (ttlSeconds: number): Request => ({
    type: FrameType.LeaseGrant,
    body: { id: 1n, ttlSeconds },
  });
  t.equal(show(grant(LEASE_TTL_SECONDS_MAX)), 'fine');
  t.equal(show(grant(LEASE_TTL_SECONDS_MAX + 1)), 'LeaseTtlTooLarge');
  t.equal(show(grant(-5)), 'fine', 'it is raised when it is proposed');
  const mark = { session: 1, sequence: 1, acknowledged: 0 };
  const put = (key: string): Request => ({
    type: FrameType.Once,
    mark,
    command: { type: FrameType.Put, body: putOf(key, 'v') },
  });
  t.equal(show(put('k')), 'fine');
  t.equal(show(put('')), 'KeyEmpty');
  t.end();
});
