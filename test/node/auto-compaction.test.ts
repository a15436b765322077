/** Compaction without anybody asking for it, by etcd's rules. */

import t from 'tap';
import type { AutoCompaction } from '../../include/node.ts';
import { AutoCompactor } from '../../src/node/auto-compaction.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A compactor on time that passes by the minute, ten revisions in each. */
class Bench {
  nowMs = 0;
  isLeader = true;
  isTaken = true;
  compacted = -1;
  /** `minute: revision` of each compaction. */
  readonly done: string[] = [];
  readonly #compactor: AutoCompactor;

  constructor(policy: AutoCompaction) {
    this.#compactor = new AutoCompactor({
      policy,
      nowMs: () => this.nowMs,
      revision: () => 1 + (this.nowMs / MINUTE_MS) * 10,
      compactRevision: () => this.compacted,
      isLeader: () => this.isLeader,
      compact: (revision) => this.#compact(revision),
    });
  }

  /** Lets minutes pass; returns the compactions in them. */
  pass(minutes: number): string[] {
    for (let count = 0; count < minutes; count += 1) {
      this.nowMs += MINUTE_MS;
      this.#compactor.tick();
    }
    return this.done.splice(0);
  }

  #compact(revision: number): boolean {
    if (!this.isTaken) return false;
    this.compacted = revision;
    this.done.push(`${this.nowMs / MINUTE_MS}: ${revision}`);
    return true;
  }
}

t.test('a short period: each retention, and what is younger than one is left', async (t) => {
  const bench = new Bench({ mode: 'periodic', retentionMs: 10 * MINUTE_MS });
  t.strictSame(bench.pass(9), []);
  t.strictSame(bench.pass(21), ['10: 1', '20: 91', '30: 191']);
});

t.test('a long period: hourly, the first time after all of it', async (t) => {
  const bench = new Bench({ mode: 'periodic', retentionMs: 3 * HOUR_MS });
  t.strictSame(bench.pass(179), []);
  t.strictSame(bench.pass(121), ['180: 1', '240: 541', '300: 1141']);
});

t.test('by revisions: every five minutes, so many are left', async (t) => {
  const bench = new Bench({ mode: 'revision', retention: 60 });
  t.strictSame(bench.pass(16), ['10: 41', '15: 91']);
});

t.test('only the leader compacts, and a new one knows what was how long ago', async (t) => {
  const bench = new Bench({ mode: 'periodic', retentionMs: 10 * MINUTE_MS });
  bench.isLeader = false;
  t.strictSame(bench.pass(24), []);
  bench.isLeader = true;
  t.strictSame(bench.pass(1), ['25: 141']);
});

t.test('what is not taken is tried again soon', async (t) => {
  const bench = new Bench({ mode: 'periodic', retentionMs: 10 * MINUTE_MS });
  bench.isTaken = false;
  bench.pass(12);
  bench.isTaken = true;
  t.strictSame(bench.pass(12), ['13: 21', '23: 121']);
});

t.test('what a client has compacted further counts as done', async (t) => {
  const bench = new Bench({ mode: 'periodic', retentionMs: 10 * MINUTE_MS });
  bench.compacted = 150;
  t.strictSame(bench.pass(30), ['30: 191']);
});
