import t from 'tap';
import { createRandom } from '../../src/random.ts';
import { checkLinearizability, type Interval, Verdict } from './linearizability.ts';
import { REGISTER, type RegisterOperation } from './register.ts';

type Written = readonly [invoked: number, returned: number, operation: RegisterOperation];

const NEVER = Number.POSITIVE_INFINITY;
const write = (value: string | undefined): RegisterOperation => ({ kind: 'write', value });
const read = (value: string | undefined): RegisterOperation => ({ kind: 'read', value });
const swap = (seen: string | undefined, value: string): RegisterOperation => ({
  kind: 'exchange',
  seen,
  value,
});
const attempt = (expected: string | undefined, value: string): RegisterOperation => ({
  kind: 'try',
  expected,
  value,
});

function verdictOf(history: readonly Written[], stepsMax?: number): Verdict {
  const intervals = history.map(([invoked, returned, operation]) => ({
    invoked,
    returned,
    operation,
  }));
  return checkLinearizability(REGISTER, intervals, stepsMax);
}

const good: readonly (readonly [string, readonly Written[]])[] = [
  ['nothing happens', []],
  ['a key that nobody wrote is absent', [[1, 2, read(undefined)]]],
  [
    'a read during a write may see it or not',
    [
      [1, 10, write('a')],
      [2, 3, read(undefined)],
      [4, 5, read('a')],
      [6, 7, read('a')],
    ],
  ],
  [
    'writes at the same time take effect in any order',
    [
      [1, 10, write('a')],
      [2, 11, write('b')],
      [3, 12, write('c')],
      [13, 14, read('a')],
    ],
  ],
  [
    'a write that nobody knows of took effect late',
    [
      [1, NEVER, write('a')],
      [2, 3, write('b')],
      [4, 5, read('b')],
      [6, 7, read('a')],
    ],
  ],
  [
    'a write that nobody knows of never took effect',
    [
      [1, NEVER, write('a')],
      [2, 3, write('b')],
      [4, 5, read('b')],
      [6, 7, read('b')],
    ],
  ],
  [
    'of swaps at the same time one follows the other',
    [
      [1, 2, write('a')],
      [3, 10, swap('b', 'c')],
      [4, 9, swap('a', 'b')],
      [11, 12, read('c')],
    ],
  ],
  [
    'a swap that nobody knows of took effect where it could',
    [
      [1, NEVER, attempt('a', 'b')],
      [2, 3, read(undefined)],
      [4, 5, write('a')],
      [6, 7, read('b')],
    ],
  ],
  [
    'a deletion and a write that are read in turn',
    [
      [1, 2, write('a')],
      [3, 8, write(undefined)],
      [4, 5, read(undefined)],
      [6, 7, read(undefined)],
    ],
  ],
];
for (const [name, history] of good) {
  t.test(`linearizable: ${name}`, async (t) => {
    t.equal(verdictOf(history), Verdict.Linearizable);
  });
}

const bad: readonly (readonly [string, readonly Written[]])[] = [
  ['a value that nobody wrote', [[1, 2, read('a')]]],
  [
    'a write that was acknowledged is lost',
    [
      [1, 2, write('a')],
      [3, 4, read(undefined)],
    ],
  ],
  [
    'a read of the past',
    [
      [1, 2, write('a')],
      [3, 4, write('b')],
      [5, 6, read('a')],
    ],
  ],
  [
    'a value that comes and goes during one write',
    [
      [1, 10, write('a')],
      [2, 3, read('a')],
      [4, 5, read(undefined)],
    ],
  ],
  [
    'a value that comes back, though written once',
    [
      [1, NEVER, write('a')],
      [2, 3, read('a')],
      [4, 5, write('b')],
      [6, 7, read('b')],
      [8, 9, read('a')],
    ],
  ],
  [
    'a write is read before it began',
    [
      [1, 2, read('a')],
      [3, 4, write('a')],
    ],
  ],
  [
    'two readers see two writes in opposite orders',
    [
      [1, 20, write('a')],
      [2, 21, write('b')],
      [3, 4, read('a')],
      [5, 6, read('b')],
      [7, 8, read('a')],
    ],
  ],
  [
    'two swaps of the same value succeed',
    [
      [1, 2, write('a')],
      [3, 10, swap('a', 'b')],
      [4, 9, swap('a', 'c')],
    ],
  ],
  [
    'a swap that nobody knows of took effect where it could not',
    [
      [1, 2, write('a')],
      [3, NEVER, attempt('b', 'c')],
      [4, 5, read('c')],
    ],
  ],
];
for (const [name, history] of bad) {
  t.test(`not linearizable: ${name}`, async (t) => {
    t.equal(verdictOf(history), Verdict.NotLinearizable);
  });
}

t.test('a search that would take too long is given up', async (t) => {
  const writes = Array.from({ length: 20 }, (_, at): Written => [at, 100 + at, write(`${at}`)]);
  const history: Written[] = [...writes, [200, 201, read('none')]];
  t.equal(verdictOf(history, 10_000), Verdict.Undecided);
});

t.test(
  'histories of a real register are linearizable, and not with a read of the past',
  async (t) => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const history = drawHistory(seed);
      t.equal(checkLinearizability(REGISTER, history), Verdict.Linearizable, `seed ${seed}`);
      const last = Math.max(...history.map(({ invoked }) => invoked)) + 1_000;
      const written: Interval<RegisterOperation>[] = [
        { operation: write('young'), invoked: last, returned: last + 1 },
        { operation: read('old'), invoked: last + 2, returned: last + 3 },
      ];
      const isOld = checkLinearizability(REGISTER, [...history, ...written]);
      t.equal(isOld, Verdict.NotLinearizable, `seed ${seed}`);
    }
  },
);

/** What clients of one register see, each operation at some moment between its two ends. */
function drawHistory(seed: number): Interval<RegisterOperation>[] {
  const random = createRandom(seed);
  const planned = Array.from({ length: 50 }, (_, at) => {
    const invoked = random.below(100_000) + at / 100;
    const effectMs = invoked + random.below(5_000) + 0.001;
    const returned = effectMs + random.below(5_000) + 0.001;
    return { invoked, effectMs, returned, value: `${at}`, isWrite: random.below(2) === 0 };
  });
  let state: string | undefined;
  return planned
    .sort((one, other) => one.effectMs - other.effectMs)
    .map(({ invoked, returned, value, isWrite }) => {
      const isKnown = random.below(12) > 0;
      const hasEffect = isKnown || random.below(2) === 0;
      const seen = state;
      if (isWrite && hasEffect) state = value;
      return {
        operation: isWrite ? write(value) : read(seen),
        invoked,
        returned: isKnown || !isWrite ? returned : NEVER,
      };
    });
}
