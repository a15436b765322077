/**
 * Crashes and faults at every operation of the disk: what was acknowledged survives, and what a
 * start reports survives the next crash.
 *
 * A run draws its own script from a seed: appends, overwritten suffixes, cuts, snapshots, with
 * segments so small that they roll over. The twin of every ticket is kept; what comes back must be
 * the twin of one ticket, not older than the last acknowledged one.
 */

import t, { type Test } from 'tap';
import { FaultKind, type HardState } from '../../include/node.ts';
import type { Recovered } from '../../src/node/wal/recover.ts';
import { createRandom, type Random } from '../../src/random.ts';
import type { FaultDisk } from '../fault-disk.ts';
import {
  createDisk,
  entries,
  faultOf,
  hardState,
  NEW_TWIN,
  type OpenLog,
  openLog,
  showTwin,
  type Twin,
  twinAppend,
  twinCut,
  twinLast,
} from './log-fixture.ts';

const SMALL = { segmentBytes: 40 * 1024 };
const STEPS = 24;

/** A log with the twin of each ticket; ticket 0 is what it started from. */
type Run = { readonly log: OpenLog; readonly twins: Twin[] };

function start(disk: FaultDisk, twin: Twin): Run {
  return { log: openLog(disk, SMALL), twins: [twin] };
}

/** Does one step of a script. */
function step(run: Run, random: Random): void {
  const { wal } = run.log;
  const twin = run.twins.at(-1) ?? NEW_TWIN;
  const last = twinLast(twin);
  const choice = random.below(12);
  let next: Twin;
  let ticket: number;
  if (choice === 0 && twin.entries.length > 0) {
    const cut = twin.entries[random.below(twin.entries.length)]!;
    const base = { ...twin.base, index: cut.index, term: cut.term };
    ticket = wal.cutBefore(base);
    next = twinCut(twin, base);
  } else if (choice === 1) {
    const base = { ...twin.base, index: last + random.below(5), term: twin.hardState.term };
    ticket = wal.saveSnapshot(base);
    next = { ...twin, base, entries: [] };
  } else if (choice === 2) {
    const state = { ...twin.hardState, commit: last };
    ticket = wal.append(state, [], false);
    next = twinAppend(twin, state, []);
  } else {
    const isElection = choice < 5;
    const term = twin.hardState.term + (isElection ? 1 : 0);
    const state = isElection ? hardState(term, twin.hardState.commit, random.below(3)) : undefined;
    const back = isElection ? random.below(last - twin.base.index + 1) : 0;
    const added = entries(last + 1 - back, random.below(5), term, 10 + random.below(5000));
    // An election that writes nothing does not shorten the log.
    ticket = wal.append(state, added, true);
    next = twinAppend(twin, state, added);
  }
  run.twins[ticket] = next;
}

/** What a log may say after a crash, as text; whoever asks gets the ticket that it stands for. */
function standsFor(run: Run, recovered: Recovered): number {
  const acknowledged = run.log.synced.at(-1) ?? 0;
  const found = showTwin(recovered.snapshot, recovered.entries);
  for (let ticket = run.twins.length - 1; ticket >= acknowledged; ticket -= 1) {
    const twin = run.twins[ticket]!;
    if (showTwin(twin.base, twin.entries) !== found) continue;
    // A group carries the newest hard state, which may be younger than its entries, never older.
    const states = run.twins.slice(ticket).map((later) => within(later.hardState, twin));
    if (states.some((state) => sameState(state, recovered.hardState))) return ticket;
  }
  return -1;
}

function within(state: HardState, twin: Twin): HardState {
  const commit = Math.max(twin.base.index, Math.min(state.commit, twinLast(twin)));
  return { ...state, commit };
}

function sameState(one: HardState, two: HardState): boolean {
  return one.term === two.term && one.vote === two.vote && one.commit === two.commit;
}

function twinOf(recovered: Recovered): Twin {
  const { hardState, snapshot: base, entries } = recovered;
  return { hardState, base, entries: [...entries] };
}

type Crash = 'crashPower' | 'crashProcess';

/**
 * Runs a script up to the end or to where the disk stops, crashes, starts again and checks.
 *
 * @returns whether the disk stopped before the script ended
 */
function runToCrash(t: Test, disk: FaultDisk, random: Random, crash: Crash, before: Twin): boolean {
  const run = start(disk, before);
  for (let count = 0; count < STEPS && !disk.hasStopped(); count += 1) {
    step(run, random);
    for (let finish = random.below(4); finish > 0; finish -= 1) disk.finishOne();
  }
  const hasStopped = disk.hasStopped();
  disk[crash]();
  const again = openLog(disk, SMALL);
  const ticket = standsFor(run, again.recovered);
  if (ticket < 0) t.fail('an acknowledged entry is lost, or one came up that nobody wrote');

  // What a start has reported may be relied on at once: the next power failure must not take it.
  const reported = JSON.stringify(twinOf(again.recovered));
  disk.crashPower();
  const third = openLog(disk, SMALL);
  if (JSON.stringify(twinOf(third.recovered)) !== reported) t.fail('what was reported is lost');
  return hasStopped;
}

for (const crash of ['crashPower', 'crashProcess'] as const) {
  t.test(`${crash} at the n-th disk operation loses nothing acknowledged, for all n`, async (t) => {
    for (let seed = 1; seed <= 4; seed += 1) {
      let stops = true;
      for (let operation = 0; stops; operation += 1) {
        const disk = createDisk(seed * 1000 + operation);
        openLog(disk, SMALL);
        disk.stopAfter(operation);
        try {
          stops = runToCrash(t, disk, createRandom(seed), crash, NEW_TWIN);
        } catch (error) {
          // The operation belongs to the start: it reports that the disk stopped.
          t.match(error, { kind: FaultKind.DiskFailed }, `seed ${seed} operation ${operation}`);
        }
        if (!t.passing()) throw new Error(`seed ${seed} operation ${operation}`);
      }
    }
  });
}

t.test('a log lives through many crashes one after the other', async (t) => {
  for (let seed = 1; seed <= 10; seed += 1) {
    const random = createRandom(seed);
    const disk = createDisk(seed);
    let twin = NEW_TWIN;
    for (let life = 0; life < 6; life += 1) {
      runToCrash(t, disk, random, random.below(2) === 0 ? 'crashPower' : 'crashProcess', twin);
      if (!t.passing()) throw new Error(`seed ${seed} life ${life}`);
      twin = twinOf(openLog(disk, SMALL).recovered);
      disk.crashProcess();
    }
  }
});

t.test('a crash at the n-th operation of a start loses nothing, for all n', async () => {
  for (let seed = 1; seed <= 10; seed += 1) {
    for (let operation = 0, isDone = false; !isDone; operation += 1) {
      const random = createRandom(seed);
      const disk = createDisk(seed);
      const run = start(disk, NEW_TWIN);
      for (let count = 0; count < STEPS; count += 1) {
        step(run, random);
        if (random.below(2) === 0) disk.finishOne();
      }
      disk.crashPower();
      disk.stopAfter(operation);
      isDone = faultOf(() => openLog(disk, SMALL)) === undefined;
      disk.crashPower();
      if (standsFor(run, openLog(disk, SMALL).recovered) < 0) {
        throw new Error(`seed ${seed} operation ${operation}`);
      }
    }
  }
});

t.test('a crash while a log is made leaves a log or none', async (t) => {
  for (let seed = 1; seed <= 10; seed += 1) {
    for (let operation = 0; operation < 4; operation += 1) {
      const disk = createDisk(seed);
      disk.stopAfter(operation);
      faultOf(() => openLog(disk));
      disk.crashPower();
      const { recovered } = openLog(disk);
      t.strictSame(recovered.entries, [], `seed ${seed} operation ${operation}`);
    }
  }
});

t.test('a fault of the n-th disk operation is fatal and told once, for all n', async (t) => {
  for (let seed = 1; seed <= 4; seed += 1) {
    for (let operation = 0, hasFailed = true; hasFailed; operation += 1) {
      const random = createRandom(seed);
      const disk = createDisk(seed * 1000 + operation);
      const run = start(disk, NEW_TWIN);
      disk.failAfter(operation);
      for (let count = 0; count < STEPS; count += 1) {
        step(run, random);
        for (let finish = random.below(4); finish > 0; finish -= 1) disk.finishOne();
      }
      disk.finishAll();
      const operations = disk.operationCount();
      hasFailed = run.log.faults.length > 0;
      if (hasFailed) {
        t.match(run.log.faults, [{ kind: FaultKind.DiskFailed, cause: /injected/ }]);
        run.log.wal.append(undefined, [], true);
        disk.finishAll();
        t.equal(disk.operationCount(), operations, 'nothing is tried after a fault');
        let isClosed = false;
        run.log.wal.close(() => {
          isClosed = true;
        });
        t.equal(isClosed, true);
      }
      // The page cache shows the failed write whole, though the platter holds parts of it.
      disk.crashProcess();
      const { recovered } = openLog(disk, SMALL);
      if (standsFor(run, recovered) < 0) throw new Error(`seed ${seed} operation ${operation}`);
      disk.crashPower();
      t.strictSame(twinOf(openLog(disk, SMALL).recovered), twinOf(recovered));
    }
  }
});

t.test(
  'a log that is closing when the disk fails says so, and is closed all the same',
  async (t) => {
    const disk = createDisk();
    const log = openLog(disk);
    log.wal.append(hardState(1), entries(1, 1), true);
    let faultsBefore = -1;
    log.wal.close(() => {
      faultsBefore = log.faults.length;
    });
    disk.failAfter(0);
    disk.finishAll();
    t.equal(log.faults.length, 1);
    t.equal(faultsBefore, 1, 'its owner hears of the fault even if the file cannot be closed');
  },
);
