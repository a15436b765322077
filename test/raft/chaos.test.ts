/**
 * Clusters in a hostile world, from seeds 1 to CHAOS_SEEDS (200 unless the environment says
 * otherwise). CHAOS_SEED=n runs one.
 */

import t from 'tap';
import { NO_NODE, Role } from '../../include/node.ts';
import { entryAt, sizeOf } from '../../src/node/raft/log.ts';
import { confirmRound } from '../../src/node/raft/read-index.ts';
import { enforceConfiguration } from '../../src/node/raft/state.ts';
import type { Canary, Outcome } from './chaos.ts';
import { runChaos } from './chaos.ts';
import { SafetyViolation } from './safety.ts';

const only = Number(process.env.CHAOS_SEED ?? 0);
const first = only > 0 ? only : 1;
const last = only > 0 ? only : Number(process.env.CHAOS_SEEDS ?? 200);

t.test(
  'no seed breaks a rule, and every cluster agrees again when it is left in peace',
  async (t) => {
    const outcomes: Outcome[] = [];
    for (let seed = first; seed <= last; seed += 1) {
      try {
        outcomes.push(runChaos(seed, {}));
      } catch (cause) {
        t.fail(`seed ${seed}: CHAOS_SEED=${seed} tap test/raft/chaos.test.ts`, { cause });
      }
    }
    const total = (field: keyof Outcome): number => outcomes.reduce((sum, o) => sum + o[field], 0);
    const { length } = outcomes;
    t.comment(
      `${length} runs: ${total('committed')} entries, ${total('terms')} leaders, ` +
        `${total('snapshots')} snapshots, ${total('grants')} reads, ` +
        `${total('changes')} configurations`,
    );
    if (only > 0) return;
    // Runs in which nothing happens would pass too.
    t.ok(total('committed') > 20 * length, 'entries are committed');
    t.ok(total('terms') > 2 * length, 'leaders change');
    t.ok(total('snapshots') > length / 4, 'snapshots are restored');
    t.ok(total('changes') > length, 'members come and go');
    t.ok(total('grants') > 5 * length, 'reads are granted');
  },
);

t.test('a run repeats from its seed', async (t) => {
  t.strictSame(runChaos(7, {}), runChaos(7, {}));
});

const canaries: readonly (readonly [string, Canary])[] = [
  [
    'a leader that commits without a quorum',
    {
      sabotage: ({ raft }) => {
        if (raft.role !== Role.Leader) return;
        const { log, writes } = raft;
        for (let index = log.commitIndex + 1; index <= writes.handedIndex; index += 1) {
          raft.uncommittedBytes -= sizeOf(entryAt(log, index));
        }
        log.commitIndex = Math.max(log.commitIndex, writes.handedIndex);
      },
    },
  ],
  [
    'a member that forgets its vote',
    {
      sabotage: ({ raft }, random) => {
        if (raft.role === Role.Follower && random.below(3) === 0) raft.vote = NO_NODE;
      },
    },
  ],
  [
    'a disk that confirms what it has not written',
    {
      sabotage: ({ raft }) => {
        raft.writes.persistedIndex = raft.writes.handedIndex;
      },
    },
  ],
  [
    'a leader that skips the joint configuration',
    {
      sabotage: ({ raft }) => {
        const newest = raft.configurations.at(-1)!;
        if (raft.role !== Role.Leader || newest.configuration.outgoing.length === 0) return;
        const configuration = { ...newest.configuration, outgoing: [] };
        raft.configurations[raft.configurations.length - 1] = { ...newest, configuration };
        enforceConfiguration(raft);
      },
    },
  ],
  [
    'a leader that confirms its own reads',
    {
      sabotage: ({ raft }) => {
        for (const progress of raft.progress.values()) progress.readEcho = raft.reads.sequence;
        if (raft.role === Role.Leader) confirmRound(raft);
      },
    },
  ],
];

/** The rarest of these faults shows in about one run of seven hundred. */
const CANARY_SEEDS = 3_000;

for (const [name, canary] of canaries) {
  t.test(`${name} is caught`, async (t) => {
    for (let seed = 1; seed <= CANARY_SEEDS; seed += 1) {
      try {
        runChaos(seed, canary);
      } catch (error) {
        t.ok(error instanceof SafetyViolation, `seed ${seed}: ${error}`);
        return;
      }
    }
    t.fail('no seed catches it');
  });
}
