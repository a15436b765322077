/**
 * The store beside a real etcd, the same random requests to both. Only where an etcd is installed.
 */

import t from 'tap';
import { ERRORS, type ErrorCode } from '../../include/rpc.ts';
import { checkRequest } from '../../src/kvstore/check-request.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { createRandom } from '../../src/random.ts';
import { temporaryDirectory } from './map-homes.ts';
import { createMemoryHome } from './memory-base.ts';
import { type EtcdRefusal, isEtcdThere, RealEtcd } from './real-etcd.ts';
import {
  putOf,
  randomDelete,
  randomPut,
  randomRange,
  rangeOf,
  showPair,
  showRange,
} from './store-requests.ts';

const CONFIGURATION = { voters: [0], outgoing: [], learners: [] };

/** Sequences of requests, all in one history, each of its own seed. */
const SEQUENCES = 200;
const SEQUENCE_LENGTH = 20;

function textOf(code: ErrorCode | EtcdRefusal): string {
  return typeof code === 'number' ? (ERRORS.get(code)?.text ?? '') : code.error;
}

/** Either side's answer as text. */
function show<T extends object>(
  result: T | ErrorCode | EtcdRefusal,
  showResult: (result: T) => string,
): string {
  return typeof result === 'number' || 'error' in result ? textOf(result) : showResult(result);
}

function compareSequences(): void {
  t.test('the store answers as a real etcd does', async (t) => {
    const etcd = await RealEtcd.start(await temporaryDirectory(t));
    t.teardown(() => etcd.stop());
    const store = await openStore(createMemoryHome());
    const account = () =>
      store.setApplied({ index: store.applied().index + 1, term: 1, configuration: CONFIGURATION });

    const step = async (random: ReturnType<typeof createRandom>): Promise<[string, string]> => {
      const choice = random.below(100);
      if (choice < 30) {
        const request = randomPut(random);
        const showPut = (result: { revision: number; prevKv: unknown }) => `@${result.revision}`;
        const [ours, theirs] = [store.put(request), await etcd.put(request)];
        account();
        const prev = (result: typeof ours | EtcdRefusal) =>
          typeof result === 'object' && 'prevKv' in result && result.prevKv !== undefined
            ? showPair(result.prevKv)
            : '';
        return [show(ours, showPut) + prev(ours), show(theirs, showPut) + prev(theirs)];
      }
      if (choice < 40) {
        const request = randomDelete(random);
        const [ours, theirs] = [store.deleteRange(request), await etcd.deleteRange(request)];
        account();
        const showDelete = (result: Exclude<typeof ours, number>) =>
          `@${result.revision} ${result.deleted} ${result.prevKvs.map(showPair).join()}`;
        return [show(ours, showDelete), show(theirs, showDelete)];
      }
      if (choice < 41) {
        const revision = store.revision() + 1 - random.below(15);
        const [ours, theirs] = [
          store.compact({ revision, physical: false }),
          await etcd.compact(revision),
        ];
        account();
        const our = typeof ours === 'number' ? textOf(ours) : `@${ours.revision}`;
        return [our, typeof theirs === 'number' ? `@${theirs}` : textOf(theirs)];
      }
      store.compactStep();
      const request = randomRange(random, store.revision());
      const [ours, theirs] = [store.range(request), await etcd.range(request)];
      return [show(ours, showRange), show(theirs, showRange)];
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
    t.equal(
      show(store.range(rangeOf('\0', '\0')), showRange),
      show(await etcd.range(rangeOf('\0', '\0')), showRange),
    );
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
