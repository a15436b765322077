/**
 * Faults that releases of etcd had, as runs of the simulator that provoke them: what is drawn
 * otherwise is set so that it happens again and again. Each of the properties that every run
 * checks would say if kvorum had the fault (docs/CORRECTNESS.md lists them).
 */

import type { Scenario } from './run.ts';

/** A scenario, and what must have happened in it to prove something. */
export type NamedScenario = Scenario & { readonly happens: readonly string[] };

/** Three nodes whose members stay. */
const THREE = { nodeCount: 3, spareCount: 0, changePauseMs: undefined } as const;

/** Clients that hardly pause. */
const BUSY = { workers: 3, pauseMs: 20, watchers: 2 } as const;

/** All of them, by what they show. */
export const SCENARIOS: ReadonlyMap<string, NamedScenario> = new Map<string, NamedScenario>([
  [
    'nodes that crash under load agree on every revision',
    {
      plan: THREE,
      load: BUSY,
      faults: ['kill', 'power failure', 'power failure of all'],
      happens: ['kill', 'power failure'],
    },
  ],
  [
    'a node alone loses no acknowledged write when its power fails',
    {
      plan: { ...THREE, nodeCount: 1 },
      load: BUSY,
      faults: ['power failure', 'torn write'],
      happens: ['power failure', 'torn write'],
    },
  ],
  [
    'a watch does not go back in time after a partition',
    {
      plan: { ...THREE, watchProgressMs: 500 },
      load: BUSY,
      faults: ['partition', 'node isolated', 'node hears nothing', 'reset connections'],
      happens: ['partition', 'node isolated'],
    },
  ],
  [
    'no revision goes backwards when nodes crash while they compact',
    {
      plan: THREE,
      load: { ...BUSY, meddleOneIn: 4 },
      faults: ['kill', 'power failure', 'power failure of all', 'store flush error'],
      happens: ['compaction', 'kill', 'power failure'],
    },
  ],
  [
    'a member takes one snapshot after the other',
    {
      plan: { ...THREE, logEntriesKept: 1 },
      load: BUSY,
      faults: ['node isolated', 'freeze', 'snapshot stream cut', 'kill'],
      happens: ['snapshot installed', 'node isolated'],
    },
  ],
  [
    'no linearizable read is stale after its node was frozen',
    {
      plan: THREE,
      load: BUSY,
      faults: ['freeze', 'leader cut off and frozen', 'clock leap'],
      happens: ['freeze', 'leader cut off and frozen'],
    },
  ],
]);
