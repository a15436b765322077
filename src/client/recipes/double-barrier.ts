/**
 * The double barrier: see include/recipes.ts.
 *
 * Keys below its name: `waiters/lease in hex`, one for each party inside, on its lease; `ready`,
 * there while a round is under way.
 *
 *   enter: make the own waiter, unless a round is under way; who makes the last one makes `ready`
 *   leave: delete the own waiter; when none is left, delete `ready`
 *
 * Invariant: `ready` of a round goes only when no waiter is left. Since every step says in its
 * transaction what it rests on, any party may do it, so that none that crashes holds up the others.
 */

import type { Bytes, Client } from '../../../include/client.ts';
import type {
  BarrierRound,
  DoubleBarrier,
  HoldOptions,
  WaitOptions,
} from '../../../include/recipes.ts';
import { ErrorCode, KvorumError } from '../../../include/rpc.ts';
import { rangeAnswer } from './answers.ts';
import { keyBelow } from './recipe-key.ts';
import { explainLoss, type Tenure, takeLease, waitingSignal } from './tenure.ts';
import { awaitEvent, watchEvents } from './watch-events.ts';

type Barrier = {
  readonly client: Client;
  readonly partyCount: number;
  /** Every waiter's key starts with it. */
  readonly waiters: Buffer;
  readonly ready: Buffer;
};

/** What an attempt to enter found. */
type Entry = {
  /** There was no round under way, and the own waiter is there. */
  readonly isIn: boolean;
  readonly waiterCount: number;
  readonly revision: number;
};

/**
 * Names a double barrier.
 *
 * @param partyCount how many make a round, from 1
 * @throws KvorumError FrameMalformed for another number
 */
export function createDoubleBarrier(
  client: Client,
  name: Bytes,
  partyCount: number,
  options: HoldOptions = {},
): DoubleBarrier {
  if (!Number.isSafeInteger(partyCount) || partyCount < 1) {
    const why = `partyCount: ${partyCount} is no number from 1 on`;
    throw new KvorumError(ErrorCode.FrameMalformed, why);
  }
  const waiters = keyBelow(name, 'waiters/');
  const barrier: Barrier = { client, partyCount, waiters, ready: keyBelow(name, 'ready') };
  return { enter: (how = {}) => enter(barrier, options, how) };
}

async function enter(
  barrier: Barrier,
  options: HoldOptions,
  { signal }: WaitOptions,
): Promise<BarrierRound> {
  signal?.throwIfAborted();
  const tenure = await takeLease(barrier.client, options);
  const { lease } = tenure;
  const waiter = Buffer.concat([barrier.waiters, Buffer.from(lease.id.toString(16))]);
  const waiting = waitingSignal(tenure, signal);
  try {
    while (!(await tryEnter(barrier, waiter, tenure, waiting))) await clearRound(barrier, waiting);
    waiting.throwIfAborted();
  } catch (error) {
    await abandon(barrier, tenure, waiter);
    throw explainLoss(tenure, error);
  }
  return { lost: lease.lost, leave: (how = {}) => leave(barrier, tenure, waiter, how) };
}

/** Enters and waits for the others; false when it must wait for the round under way to end. */
async function tryEnter(
  barrier: Barrier,
  waiter: Buffer,
  tenure: Tenure,
  waiting: AbortSignal,
): Promise<boolean> {
  const { client, partyCount, ready } = barrier;
  const { isIn, waiterCount, revision } = await makeWaiter(barrier, waiter, tenure);
  if (!isIn) return false;
  if (waiterCount < partyCount) return awaitReady(barrier, revision, waiting);

  // The last one, or one too many: then the last one has not said yet that the round is full.
  const isTooMany = waiterCount > partyCount;
  await client.txn({
    when: [{ key: ready, createRevision: 0 }],
    then: [{ put: ready }],
  });
  if (isTooMany) await client.delete(waiter);
  return !isTooMany;
}

/** Makes the own waiter unless a round is under way, and counts all. */
async function makeWaiter(barrier: Barrier, waiter: Buffer, { lease }: Tenure): Promise<Entry> {
  const { client, waiters, ready } = barrier;
  const reply = await client.txn({
    when: [{ key: ready, createRevision: 0 }],
    then: [
      { put: waiter, lease: lease.id },
      { get: waiters, prefix: true, countOnly: true },
    ],
  });
  const { succeeded: isIn, revision } = reply;
  return { isIn, waiterCount: isIn ? rangeAnswer(reply, 1).count : 0, revision };
}

/** Waits until the round is full. @returns true */
async function awaitReady(
  { client, ready }: Barrier,
  knownRevision: number,
  waiting: AbortSignal,
): Promise<boolean> {
  let revision = knownRevision;
  while (!(await awaitEvent(client, ready, { startRevision: revision + 1 }, waiting))) {
    const reply = await client.range(ready, { keysOnly: true });
    if (reply.kvs.length > 0) return true;
    revision = reply.revision;
  }
  return true;
}

async function leave(
  barrier: Barrier,
  tenure: Tenure,
  waiter: Buffer,
  { signal }: WaitOptions,
): Promise<void> {
  if (tenure.isOwn) await tenure.lease.release();
  else await barrier.client.delete(waiter);
  await clearRound(barrier, signal);
}

/** Waits until nobody is inside, and ends the round. */
async function clearRound(barrier: Barrier, signal: AbortSignal | undefined): Promise<void> {
  const { client, waiters, ready } = barrier;
  for (;;) {
    const reply = await client.txn({
      then: [
        { get: ready, keysOnly: true },
        { get: waiters, prefix: true, keysOnly: true },
      ],
    });
    const round = rangeAnswer(reply, 0).kvs[0];
    if (round === undefined) return;
    const inside = new Set(rangeAnswer(reply, 1).kvs.map(({ key }) => key.toString('latin1')));
    if (!(await awaitEmpty(barrier, inside, reply.revision, signal))) continue;
    await client.txn({
      when: [
        { key: ready, modRevision: round.modRevision },
        { key: waiters, prefix: true, createRevision: 0 },
      ],
      then: [{ delete: ready }],
    });
  }
}

/**
 * Waits until all who were inside at a revision have left: nobody enters meanwhile.
 *
 * @returns false when that may have been missed: read anew
 */
async function awaitEmpty(
  { client, waiters }: Barrier,
  inside: Set<string>,
  revision: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (inside.size === 0) return true;
  const deletions = { prefix: true, startRevision: revision + 1, noPut: true };
  for await (const events of watchEvents(client, waiters, deletions, signal)) {
    for (const { kv } of events) inside.delete(kv.key.toString('latin1'));
    if (inside.size === 0) return true;
  }
  signal?.throwIfAborted();
  return false;
}

/** Leaves after a failure, if it can: it is the failure that is told. */
async function abandon({ client }: Barrier, tenure: Tenure, waiter: Buffer): Promise<void> {
  try {
    if (tenure.isOwn) await tenure.lease.release();
    else await client.delete(waiter);
  } catch {
    // The lease is no longer renewed, or its owner ends it: the key goes with it.
  }
}
