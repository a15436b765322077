/**
 * kvorum beside a real etcd: the same sequences of requests to both, every answer compared field by
 * field. Only where an etcd is installed.
 *
 * SEQUENCES=10000 runs that many; SEED=n runs the one sequence of a seed that was printed, and
 * PROTOCOL=client, json or grpc runs one way of asking.
 */

import t, { type Test } from 'tap';
import { createRandom, drawSeed } from '../../src/random.ts';
import { isEtcdThere } from './etcd.ts';
import { FIXED, NEVER_COMPACTED } from './fixed.ts';
import { generate } from './generate.ts';
import { Lane, PROTOCOLS, type Protocol } from './lane.ts';
import { type Difference, runSequence } from './run.ts';
import { shrink } from './shrink.ts';
import { type Sequence, show, showSequence } from './steps.ts';

/** Pairs of servers at work at once: while one waits for etcd to tell of the past, others go on. */
const LANES = 4;

/** Random sequences. */
const SEQUENCES = Number(process.env.SEQUENCES ?? 600);

/** Of them, the part that is asked each way: what is new there is how messages are said. */
const PARTS: Readonly<Record<Protocol, number>> = { client: 0.7, json: 0.15, grpc: 0.15 };

/** Milliseconds that all of them may take. */
const TIMEOUT_MS = 240_000 + SEQUENCES * 200;

function compareRandom(protocol: Protocol): void {
  t.test(`kvorum answers as etcd does: ${protocol}`, async (t) => {
    const lanes = await Promise.all(Array.from({ length: LANES }, () => Lane.open(t, protocol)));
    const lane = lanes[0]!;
    tell(t, 'stores that were never compacted', await runSequence(lane.sides, NEVER_COMPACTED));
    for (const [name, sequence] of Object.entries(FIXED)) {
      tell(t, name, await lane.difference(sequence));
    }
    const { SEED } = process.env;
    const first = SEED === undefined ? drawSeed() : Number(SEED);
    const end = first + (SEED === undefined ? Math.ceil(SEQUENCES * PARTS[protocol]) : 1);
    t.comment(`seeds ${first} to ${end - 1}`);
    let next = first;
    let isFailing = false;
    await Promise.all(
      lanes.map(async (lane) => {
        while (next < end && !isFailing) {
          const seed = next;
          next += 1;
          const found = await lane.difference(generate(createRandom(seed)));
          if (found === undefined) continue;
          isFailing = true;
          await report(t, lane, seed, found);
        }
      }),
    );
    if (!isFailing) t.pass(`${end - first} sequences`);
  });
}

async function report(t: Test, lane: Lane, seed: number, first: Difference): Promise<void> {
  const whole = generate(createRandom(seed));
  const isFailing = async (sequence: Sequence): Promise<boolean> =>
    (await lane.difference(sequence)) !== undefined;
  if (!(await isFailing(whole))) {
    tell(t, `SEED=${seed} differed once and not again`, first);
    return;
  }
  const sequence = await shrink(whole, isFailing);
  t.comment(showSequence(sequence));
  tell(t, `SEED=${seed}`, (await lane.difference(sequence)) ?? first);
}

/** Fails when there is a difference, which is shown in lines that can be read. */
function tell(t: Test, name: string, difference: Difference | undefined): void {
  if (difference === undefined) {
    t.pass(name);
    return;
  }
  const { slot, what, answers } = difference;
  const [ours = '', theirs = ''] = answers.map(show);
  t.comment(`step ${slot}: ${what}`);
  t.comment(`kvorum: ${ours}`);
  t.comment(`etcd: ${theirs}`);
  t.fail(name);
}

if (isEtcdThere()) {
  t.setTimeout(TIMEOUT_MS);
  for (const protocol of PROTOCOLS) {
    if ((process.env.PROTOCOL ?? protocol) === protocol) compareRandom(protocol);
  }
} else t.comment('etcd is not on the PATH: kvorum was not compared with it');
