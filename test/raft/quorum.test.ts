/** Majorities: the clever rules against dumb twins, on small inputs all, on larger ones seeded. */

import t from 'tap';
import {
  agreedValue,
  majorityOf,
  majorityValue,
  Verdict,
  verdictOf,
} from '../../src/node/raft/quorum.ts';
import { createRandom } from '../../src/random.ts';

const identity = (value: number): number => value;

/** The greatest value that more than half have reached, found by trying each. */
function dumbMajorityValue(values: readonly number[]): number {
  let best = Number.NEGATIVE_INFINITY;
  if (values.length === 0) return Number.POSITIVE_INFINITY;
  for (const candidate of values) {
    const reached = values.filter((value) => value >= candidate).length;
    if (reached * 2 > values.length && candidate > best) best = candidate;
  }
  return best;
}

/** Won if it is won however the missing votes fall, lost likewise, by trying all ways they can. */
function dumbVerdict(
  lists: readonly (readonly number[])[],
  votes: ReadonlyMap<number, boolean>,
): Verdict {
  const missing = [...new Set(lists.flat())].filter((id) => !votes.has(id));
  const ends = new Set<boolean>();
  for (let way = 0; way < 2 ** missing.length; way += 1) {
    const all = new Map(votes);
    missing.forEach((id, bit) => {
      all.set(id, ((way >> bit) & 1) === 1);
    });
    ends.add(
      lists.every((ids) => {
        return ids.length === 0 || ids.filter((id) => all.get(id)).length * 2 > ids.length;
      }),
    );
  }
  if (ends.size === 2) return Verdict.Pending;
  return ends.has(true) ? Verdict.Won : Verdict.Lost;
}

t.test('a majority is more than half', async (t) => {
  const counts = [1, 2, 3, 4, 5, 6, 7];
  t.strictSame(counts.map(majorityOf), [1, 2, 2, 3, 3, 4, 4]);
});

t.test(
  'the value of a majority is what trying each value finds, on all small inputs',
  async (t) => {
    for (let count = 0; count <= 5; count += 1) {
      for (let code = 0; code < 4 ** count; code += 1) {
        const values = Array.from({ length: count }, (_, i) => Math.floor(code / 4 ** i) % 4);
        const expected = dumbMajorityValue(values);
        if (majorityValue(values.slice()) !== expected) t.equal(values, expected);
      }
    }
  },
);

t.test('the value of a joint majority is the lesser of both lists, on seeded input', async (t) => {
  const random = createRandom(1);
  const draw = (): number[] => {
    return Array.from({ length: random.below(8) }, () => random.below(1 + random.below(1_000)));
  };
  for (let i = 0; i < 20_000; i += 1) {
    const voters = draw();
    const outgoing = draw();
    const expected = Math.min(dumbMajorityValue(voters), dumbMajorityValue(outgoing));
    const found = agreedValue(voters, outgoing, identity);
    if (found !== expected) t.equal(found, expected, `${voters} | ${outgoing}`);
  }
});

t.test('an election is won or lost when the missing votes cannot change it', async (t) => {
  const random = createRandom(2);
  for (let i = 0; i < 5_000; i += 1) {
    const ids = [1, 2, 3, 4, 5, 6].filter(() => random.below(2) === 0);
    const outgoing = [1, 2, 3, 4, 5, 6].filter(() => random.below(3) === 0);
    const votes = new Map<number, boolean>();
    for (const id of [1, 2, 3, 4, 5, 6, 7]) {
      if (random.below(3) > 0) votes.set(id, random.below(2) === 0);
    }
    const expected = dumbVerdict([ids, outgoing], votes);
    const found = verdictOf(ids, outgoing, votes);
    if (found !== expected) t.equal(found, expected, `${ids} | ${outgoing} ${[...votes]}`);
  }
});

t.test('an empty majority agrees to everything', async (t) => {
  t.equal(majorityValue([]), Number.POSITIVE_INFINITY);
  t.equal(verdictOf([], [], new Map()), Verdict.Won);
  t.equal(agreedValue([3], [], identity), 3);
});
