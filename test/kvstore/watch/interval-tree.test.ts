/** The tree of ranges against a list of them. */

import t from 'tap';
import { IntervalTree } from '../../../src/kvstore/watch/interval-tree.ts';
import { createRandom } from '../../../src/random.ts';

type Range = { readonly start: string; readonly end: string | undefined; readonly value: number };

function bound(value: number): string {
  return String.fromCharCode(value % 256, value >> 4);
}

/** What differs from a search through all ranges; undefined if nothing does. */
function findDifference(seed: number): string | undefined {
  const random = createRandom(seed);
  const span = 1 + random.below(seed % 2 === 0 ? 20 : 600);
  const tree = new IntervalTree<number>();
  let ranges: Range[] = [];
  for (let step = 0; step < 400; step += 1) {
    const start = bound(random.below(span));
    const end = random.below(8) === 0 ? undefined : start + bound(random.below(span));
    const known = ranges.find((range) => range.start === start && range.end === end);
    if (tree.get(start, end) !== known?.value) return `get, step ${step}`;
    if (random.below(3) > 0) {
      tree.set(start, end, step);
      ranges = ranges.filter((range) => range !== known);
      ranges.push({ start, end, value: step });
    } else {
      const gone = ranges[random.below(ranges.length + 1)] ?? { start, end };
      tree.delete(gone.start, gone.end);
      ranges = ranges.filter((range) => range.start !== gone.start || range.end !== gone.end);
    }
    const key = bound(random.below(span));
    const found: number[] = [];
    tree.search(key, found);
    const expected = ranges
      .filter((range) => range.start <= key && (range.end === undefined || key < range.end))
      .map(({ value }) => value);
    if (String(found.sort()) !== String(expected.sort())) return `search, step ${step}`;
    if ((tree.any() === undefined) !== (ranges.length === 0)) return `any, step ${step}`;
  }
  return undefined;
}

t.test('it finds what a search through all ranges finds, whatever was removed', async (t) => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const difference = findDifference(seed);
    if (difference !== undefined) t.fail(`seed ${seed}: ${difference}`);
  }
  t.pass('no difference found');
});

t.test('ranges in order make no deep tree', async (t) => {
  const tree = new IntervalTree<number>();
  for (let at = 0; at < 200_000; at += 1) {
    const start = String(at).padStart(6, '0');
    tree.set(start, `${start}~`, at);
  }
  const found: number[] = [];
  tree.search('123456', found);
  t.strictSame(found, [123_456]);
  for (let at = 0; at < 200_000; at += 1) {
    const start = String(at).padStart(6, '0');
    tree.delete(start, `${start}~`);
  }
  t.equal(tree.any(), undefined);
});
