/** The log in memory against a dumb twin, and what it refuses. */

import t from 'tap';
import type { Entry } from '../../include/node.ts';
import { ENTRY_OVERHEAD_BYTES, EntryType } from '../../include/node.ts';
import type { Log } from '../../src/node/raft/log.ts';
import {
  appendEntry,
  boundSlice,
  checkLog,
  commitTo,
  createLog,
  dropUpTo,
  entryAt,
  lastIndexOf,
  lastIndexWithin,
  lastTermOf,
  restoreLog,
  sliceLog,
  TERM_UNKNOWN,
  termAt,
  truncateLog,
} from '../../src/node/raft/log.ts';
import { createRandom } from '../../src/random.ts';

const configuration = { voters: [1], outgoing: [], learners: [] };

function entryOf(index: number, term: number, sizeBytes = 0): Entry {
  return { index, term, type: EntryType.Command, data: Buffer.alloc(sizeBytes) };
}

/** A log behind `startIndex` of term 1 with entries of these terms. */
function logOf(startIndex: number, terms: readonly number[]): Log {
  const entries = terms.map((term, i) => entryOf(startIndex + 1 + i, term));
  return createLog({ index: startIndex, term: 1, configuration }, entries, startIndex, startIndex);
}

t.test('a log without entries ends where it starts', async (t) => {
  const log = logOf(7, []);
  t.equal(lastIndexOf(log), 7);
  t.equal(lastTermOf(log), 1);
  t.equal(termAt(log, 7), 1);
  t.equal(termAt(log, 6), TERM_UNKNOWN);
  t.equal(termAt(log, 8), TERM_UNKNOWN);
});

t.test('a commit index that the log does not reach is not believed', async (t) => {
  const snapshot = { index: 3, term: 1, configuration };
  const entries = [entryOf(4, 1), entryOf(5, 1)];
  t.equal(createLog(snapshot, entries, 5, 3).commitIndex, 5);
  t.equal(createLog(snapshot, entries, 6, 3).commitIndex, 3);
  t.equal(createLog(snapshot, entries, 2, 3).commitIndex, 3);
});

t.test('what breaks the log is an assertion', async (t) => {
  const log = logOf(2, [1, 2, 2]);
  commitTo(log, 4);
  const broken: readonly (readonly [string, () => void])[] = [
    ['a gap', () => appendEntry(log, entryOf(7, 2))],
    ['a falling term', () => appendEntry(log, entryOf(6, 1))],
    ['dropping what is committed', () => truncateLog(log, 4)],
    ['compacting what is not committed', () => dropUpTo(log, 5)],
    ['compacting twice', () => dropUpTo(log, 2)],
    ['committing what is not there', () => commitTo(log, 6)],
    ['an entry before the start', () => entryAt(log, 2)],
    ['an entry behind the end', () => entryAt(log, 6)],
    ['a snapshot of the past', () => restoreLog(log, { index: 4, term: 2, configuration })],
    ['a slice before the start', () => sliceLog(log, 2, 3)],
    ['a slice behind the end', () => sliceLog(log, 3, 6)],
    [
      'a start that is not applied',
      () => createLog({ index: 2, term: 1, configuration }, [], 2, 1),
    ],
  ];
  for (const [name, run] of broken) t.throws(run, { name: 'AssertionError' }, name);
  checkLog(log);
});

t.test('the check finds what is wrong', async (t) => {
  const faults: readonly ((log: Log) => void)[] = [
    (log) => log.entries.splice(1, 1),
    (log) => log.entries.splice(2, 1, entryOf(3, 0)),
    (log) => {
      log.sizeBytes += 1;
    },
    (log) => {
      log.commitIndex = 99;
    },
    (log) => {
      log.startIndex = 9;
    },
    (log) => {
      log.handedOutIndex = -1;
    },
  ];
  for (const fault of faults) {
    const log = logOf(0, [1, 1, 2]);
    fault(log);
    t.throws(() => checkLog(log), { name: 'AssertionError' });
  }
});

t.test('a slice is bounded by bytes but has one entry at least', async (t) => {
  const log = logOf(0, []);
  for (let index = 1; index <= 4; index += 1) appendEntry(log, entryOf(index, 1, 79));
  const each = 79 + ENTRY_OVERHEAD_BYTES;
  t.equal(each, 100);
  const bounds = [1, 99, 100, 199, 200, 201, 400, 9_999];
  t.strictSame(
    bounds.map((bytesMax) => boundSlice(log, 1, 4, bytesMax)),
    [1, 1, 1, 1, 2, 2, 4, 4],
  );
  t.equal(boundSlice(log, 2, 3, 9_999), 3);
});

t.test('the last index within a term is what walking back finds', async (t) => {
  const random = createRandom(4);
  for (let i = 0; i < 3_000; i += 1) {
    let term = 1;
    const terms = Array.from({ length: random.below(12) }, () => {
      term += random.below(3) === 0 ? 1 + random.below(2) : 0;
      return term;
    });
    const log = logOf(random.below(4), terms);
    const floor = log.startIndex + random.below(terms.length + 1);
    const from = floor + random.below(terms.length + 3);
    const least = random.below(term + 2);
    let walked = Math.min(from, lastIndexOf(log));
    while (walked > floor && termAt(log, walked) > least) walked -= 1;
    const found = lastIndexWithin(log, floor, from, least);
    if (found !== walked) t.equal(found, walked, `${terms} from ${from} term ${least}`);
  }
});

t.test('a log behaves as a list does, on seeded input', async (t) => {
  const random = createRandom(5);
  const log = logOf(0, []);
  let twin: Entry[] = [];
  let startIndex = 0;
  let term = 1;
  for (let i = 0; i < 20_000; i += 1) {
    const choice = random.below(100);
    const lastIndex = startIndex + twin.length;
    if (choice < 70) {
      term += random.below(10) === 0 ? 1 : 0;
      const entry = entryOf(lastIndex + 1, term, random.below(5));
      appendEntry(log, entry);
      twin.push(entry);
    } else if (choice < 80) {
      commitTo(log, log.commitIndex + random.below(lastIndex - log.commitIndex + 1));
    } else if (choice < 88 && lastIndex > log.commitIndex) {
      const from = lastIndex - random.below(Math.min(3, lastIndex - log.commitIndex));
      truncateLog(log, from);
      twin = twin.slice(0, from - startIndex - 1);
    } else if (choice < 99 && log.commitIndex > startIndex) {
      const to = startIndex + 1 + random.below(log.commitIndex - startIndex);
      log.handedOutIndex = Math.max(log.handedOutIndex, to);
      dropUpTo(log, to);
      twin = twin.slice(to - startIndex);
      startIndex = to;
    } else if (random.below(10) === 0) {
      startIndex = lastIndex + 1 + random.below(3);
      term += 1;
      restoreLog(log, { index: startIndex, term, configuration });
      twin = [];
    }
    if (i % 10 === 0) checkLog(log);
    if (lastIndexOf(log) !== startIndex + twin.length)
      t.equal(lastIndexOf(log), startIndex, `${i}`);
    if (i % 10 > 0) continue;
    const slice = sliceLog(log, startIndex + 1, lastIndexOf(log));
    const isSame = slice.length === twin.length && slice.every((entry, at) => entry === twin[at]);
    if (!isSame) t.strictSame(slice, twin, `step ${i}`);
  }
});

t.test('compacted entries are let go, and the array does not grow for ever', async (t) => {
  const log = logOf(0, []);
  for (let index = 1; index <= 10_000; index += 1) {
    appendEntry(log, entryOf(index, 1, 10));
    commitTo(log, index);
    log.handedOutIndex = index;
    if (index > 100) dropUpTo(log, index - 100);
  }
  t.equal(log.sizeBytes, 100 * (10 + ENTRY_OVERHEAD_BYTES));
  t.ok(log.entries.length <= 200, `${log.entries.length} slots`);
  const held = log.entries.filter((entry) => entry.data.length > 0).length;
  t.equal(held, 100);
});
