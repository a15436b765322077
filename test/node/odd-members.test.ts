/** Whose store is wrong, from the hashes that members report. */

import t from 'tap';
import { oddMembers } from '../../src/node/odd-members.ts';

/** Reports by members 0, 1, …: a letter a hash, `-` none yet; a digit behind: what is compacted. */
function judge(voterCount: number, reports: string): readonly number[] {
  const heard = new Map(
    reports.split(' ').flatMap((report, id) => {
      if (report === '-') return [];
      const compactRevision = Number(report[1] ?? 0);
      return [[id, { revision: 9, compactRevision, hash: report.charCodeAt(0) }] as const];
    }),
  );
  return oddMembers({ voters: Array.from({ length: voterCount }, (_, id) => id) }, heard);
}

const cases: readonly (readonly [name: string, voters: number, reports: string, odd: number[]])[] =
  [
    ['nobody differs', 3, 'a a a', []],
    ['one of three differs', 3, 'a b a', [1]],
    ['the first to report differs', 3, 'b a a', [0]],
    ['two differ, and the third has not said', 3, 'a b -', []],
    ['a majority agrees before all have said', 3, 'a a -', []],
    ['a majority agrees, one differs, two have not said', 5, 'a a a b -', [3]],
    ['two of five differ', 5, 'a b a b a', [1, 3]],
    ['two against two, and one has not said', 5, 'a a b b -', []],
    ['each of three differs', 3, 'a b c', [0, 1, 2]],
    ['each of two differs', 2, 'a b', [0, 1]],
    ['no majority is possible any more', 5, 'a a b b c', [0, 1, 2, 3, 4]],
    ['none is possible, whatever the last says', 5, 'a b c d -', [0, 1, 2, 3]],
    ['a learner differs from the voters', 3, 'a a a b', [3]],
    ['a learner does not make a majority', 3, 'a b - b', []],
    ['who has compacted differently is not compared', 3, 'a a b1', []],
    ['alone', 1, 'a', []],
    ['alone with a learner that differs', 1, 'a b', [1]],
  ];
for (const [name, voterCount, reports, odd] of cases) {
  t.test(`${name}: ${reports}`, async (t) => {
    t.strictSame(judge(voterCount, reports), odd);
  });
}
