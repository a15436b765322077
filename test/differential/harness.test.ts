/** The comparison itself: that it sees what it should, and shows little of it. */

import t from 'tap';
import type { Bytes } from '../../include/client.ts';
import { createRandom } from '../../src/random.ts';
import { generate } from './generate.ts';
import { findDifference } from './run.ts';
import { shrink } from './shrink.ts';
import { Side, type Subject, type Watching } from './side.ts';
import { type Answer, type Sequence, type Step, showSequence } from './steps.ts';

type FakeOptions = {
  /** The revision it starts from. */
  readonly revision?: number;
  /** What it answers to a deletion. */
  readonly deleted?: (key: Bytes) => number;
  /** What its watches tell. */
  readonly told?: Answer;
};

/** A server that counts its writes, and knows nothing else. */
function createFake({ revision: first = 1, deleted, told = {} }: FakeOptions = {}): Side {
  let revision = first;
  const answer = (step: Step): Answer => {
    if ('put' in step) revision += 1;
    if ('delete' in step) return { revision, deleted: deleted?.(step.delete) ?? 0 };
    if ('txn' in step) {
      const { then = [] } = step.txn;
      return { revision, results: then.map(answer) };
    }
    return { revision, ids: [] };
  };
  const watching: Watching = { from: first + 1, until: async () => told, close: () => undefined };
  const subject: Subject = { ask: async (step) => answer(step), watch: async () => watching };
  return new Side(subject);
}

/** Is wrong about one key. */
const wrongAboutB = (key: Bytes): number => (key === 'b' ? 1 : 0);

t.test('servers that answer alike do not differ, whatever their revision', async (t) => {
  const sides = [createFake(), createFake({ revision: 17 })];
  for (let seed = 1; seed <= 20; seed += 1) {
    t.equal(await findDifference(sides, generate(createRandom(seed))), undefined);
  }
});

t.test('an answer that differs is found at its step', async (t) => {
  const sides = [createFake(), createFake({ deleted: wrongAboutB })];
  const sequence = [{ delete: 'a' }, { txn: { then: [{ put: 'a' }, { delete: 'b' }] } }];
  const difference = await findDifference(sides, sequence);
  t.equal(difference?.slot, 1);
  t.match(difference?.answers, [
    { results: [{}, { deleted: 0 }] },
    { results: [{}, { deleted: 1 }] },
  ]);
});

t.test('a watch that is told something else is found at the end', async (t) => {
  const event = { kind: 'put', kv: { key: 'a', modRevision: 2 } };
  const sides = [createFake({ told: { events: [event] } }), createFake({ told: { events: [] } })];
  const difference = await findDifference(sides, [{ watch: 'a' }, { get: 'a' }]);
  t.equal(difference?.slot, 2);
});

t.test('a sequence that differs shrinks to what makes it differ', async (t) => {
  const sides = [createFake(), createFake({ deleted: wrongAboutB })];
  const isFailing = async (sequence: Sequence): Promise<boolean> =>
    (await findDifference(sides, sequence)) !== undefined;
  let shrunkCount = 0;
  for (let seed = 1; shrunkCount < 5; seed += 1) {
    const sequence = generate(createRandom(seed));
    if (!(await isFailing(sequence))) continue;
    shrunkCount += 1;
    const [step, ...others] = await shrink(sequence, isFailing);
    t.same(others, [], `seed ${seed}`);
    t.match(step, { delete: 'b' }, `seed ${seed}`);
  }
});

t.test('a sequence is the same for the same seed, and prints as source text', async (t) => {
  const [once, again] = [generate(createRandom(7)), generate(createRandom(7))];
  t.same(once, again);
  t.equal(
    showSequence([{ put: 'a\xff', lease: 3n }, { compact: 2 }]),
    "[\n  { put: 'a\xff', lease: 3n },\n  { compact: 2 },\n]",
  );
});
