/**
 * The store beside a real etcd, the same random requests to both. Only where an etcd is installed.
 */

import t from 'tap';
import { OpKind, type TxnOp, type TxnRequest } from '../../include/kvstore.ts';
import { ERRORS, type ErrorCode, FrameType } from '../../include/rpc.ts';
import { checkRequest } from '../../src/kvstore/check-request.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { createRandom, type Random } from '../../src/random.ts';
import { temporaryDirectory } from './map-homes.ts';
import { createMemoryHome } from './memory-base.ts';
import { randomLevel } from './random-commands.ts';
import { type EtcdRefusal, isEtcdThere, RealEtcd } from './real-etcd.ts';
import {
  LEASES,
  putOf,
  randomDelete,
  randomPut,
  randomRange,
  rangeOf,
  showAnswer,
} from './store-requests.ts';

const CONFIGURATION = { voters: [0], outgoing: [], learners: [] };

/** Sequences of requests, all in one history, each of its own seed. */
const SEQUENCES = 200;
const SEQUENCE_LENGTH = 20;

function textOf(code: ErrorCode | EtcdRefusal): string {
  return typeof code === 'number' ? (ERRORS.get(code)?.text ?? '') : code.error;
}

/** Both sides' answers as text. */
function show(ours: object | ErrorCode, theirs: object | EtcdRefusal): [string, string] {
  return [
    typeof ours === 'number' ? textOf(ours) : showAnswer(ours),
    'error' in theirs ? String(theirs.error) : showAnswer(theirs),
  ];
}

/**
 * Whether etcd 3.4 may not survive a transaction, or may judge it by the shape of a tree: a put
 * that keeps something of a key deleted before in the same transaction is a panic, and a range
 * whose end is not behind its start hides others from the check for keys written twice.
 */
function isBeyondEtcd(request: TxnRequest): boolean {
  const all = listAll(request);
  const isOpen = (op: TxnOp) =>
    op.kind === OpKind.DeleteRange &&
    op.request.rangeEnd.length > 0 &&
    op.request.rangeEnd.compare(op.request.key) <= 0;
  const isKeeping = (op: TxnOp) =>
    op.kind === OpKind.Put && (op.request.ignoreValue || op.request.ignoreLease);
  const deletions = all.filter((op) => op.kind === OpKind.DeleteRange);
  return all.some(isOpen) && (all.some(isKeeping) || deletions.length > 1);
}

function listAll(request: TxnRequest): TxnOp[] {
  return [...request.success, ...request.failure].flatMap((op) =>
    op.kind === OpKind.Txn ? listAll(op.request) : [op],
  );
}

function compareSequences(): void {
  t.test('the store answers as a real etcd does', async (t) => {
    const etcd = await RealEtcd.start(await temporaryDirectory(t));
    t.teardown(() => etcd.stop());
    const store = await openStore(createMemoryHome());
    const account = () =>
      store.setApplied({ index: store.applied().index + 1, term: 1, configuration: CONFIGURATION });

    const step = async (random: Random): Promise<[string, string]> => {
      const choice = random.below(100);
      if (choice >= 60) {
        store.compactStep();
        const request = randomRange(random, store.revision());
        return show(store.range(request), await etcd.range(request));
      }
      const answers = await write(random, choice);
      account();
      return answers;
    };
    const write = async (random: Random, choice: number): Promise<[string, string]> => {
      if (choice < 15) {
        const request = randomPut(random);
        return show(store.put(request), await etcd.put(request));
      }
      if (choice < 20) {
        const request = randomDelete(random);
        return show(store.deleteRange(request), await etcd.deleteRange(request));
      }
      if (choice < 21) {
        const revision = store.revision() + 1 - random.below(15);
        const theirs = await etcd.compact(revision);
        return show(store.compact({ revision, physical: false }), theirs);
      }
      const id = LEASES[random.below(LEASES.length)]!;
      if (choice < 26) {
        const request = { id, ttlSeconds: 1_000_000 };
        return show(store.leaseGrant(request), await etcd.leaseGrant(request));
      }
      if (choice < 29) return show(store.leaseRevoke({ id }), await etcd.leaseRevoke({ id }));
      const body = randomLevel(random, store.revision(), 1);
      if (isBeyondEtcd(body)) return ['', ''];
      const refusal = checkRequest({ type: FrameType.Txn, body });
      return show(refusal === 0 ? store.txn(body) : refusal, await etcd.txn(body));
    };

    for (let seed = 1; seed <= SEQUENCES; seed += 1) {
      const random = createRandom(seed);
      for (let count = 0; count < SEQUENCE_LENGTH; count += 1) {
        const [ours, theirs] = await step(random);
        if (ours === theirs) continue;
        t.equal(ours, theirs, `seed ${seed} request ${count}`);
        return;
      }
    }
    const all = rangeOf('\0', '\0');
    const [ours, theirs] = show(store.range(all), await etcd.range(all));
    t.equal(ours, theirs);
  });
}

function compareRefusals(): void {
  t.test('requests that can never be applied are refused with the words of etcd', async (t) => {
    const etcd = await RealEtcd.start(await temporaryDirectory(t));
    t.teardown(() => etcd.stop());
    const puts = [
      putOf('', 'v'),
      putOf('', 'v', { ignoreValue: true }),
      putOf('a', 'v', { ignoreValue: true }),
      putOf('a', 'x'.repeat(1_572_864)),
    ];
    for (const request of puts) {
      const code = checkRequest({ type: 0x10, body: request });
      const theirs = await etcd.put(request);
      t.not(code, 0);
      t.equal(code === 0 ? '' : textOf(code), 'error' in theirs ? theirs.error : '');
    }
    const largest = putOf('a', 'x'.repeat(1_572_864 - 100));
    t.equal(checkRequest({ type: 0x10, body: largest }), 0);
    t.notMatch(await etcd.put(largest), { error: String });
    const theirs = await etcd.range(rangeOf(''));
    const code = checkRequest({ type: 0x11, body: rangeOf('') });
    t.equal(code === 0 ? '' : textOf(code), 'error' in theirs ? theirs.error : '');
  });
}

if (isEtcdThere()) {
  compareSequences();
  compareRefusals();
} else t.comment('etcd is not on the PATH: the store was not compared with it');
