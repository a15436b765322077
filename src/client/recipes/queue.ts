/**
 * The queue: see include/recipes.ts.
 *
 * An item's key is `name/priority/revision-random`, all in hex of fixed width: the order of keys is
 * the order of the queue, so that taking the first costs the same however long the queue is. The
 * revision is one that was current when the adding began: an item that was added before that has a
 * smaller one. The random part tells apart items added at once; when it does not, the transaction
 * says so, and another one is drawn.
 */

import type { Bytes, Client, Transaction } from '../../../include/client.ts';
import { type KeyValue, OpKind } from '../../../include/kvstore.ts';
import { PRIORITY_MAX, type Queue, type QueueItem } from '../../../include/recipes.ts';
import { ErrorCode, KvorumError, type TxnReply } from '../../../include/rpc.ts';
import { assert } from '../../assert.ts';
import { createRandom, drawSeed, type Random } from '../../random.ts';
import { copyBytes, keyBelow } from './recipe-key.ts';
import { awaitEvent } from './watch-events.ts';

/** Digits of a priority, up to PRIORITY_MAX; of a revision, up to 2^53; of the random part. */
const PRIORITY_DIGITS = 4;
const REVISION_DIGITS = 14;
const RANDOM_DIGITS = 8;

/**
 * First items that one transaction tries to take, one within the other: as many consumers at once
 * each get theirs without asking again. At most TXN_DEPTH_MAX.
 */
const TRIED_MAX = 8;

/** Names a queue. @param random chance, for tests to replace */
export function createQueue(
  client: Client,
  name: Bytes,
  random: Random = createRandom(drawSeed()),
): Queue {
  const prefix = keyBelow(name, '');
  return {
    add: (value, priority = 0) => add(client, prefix, random, copyBytes(value), priority),
    take: async ({ signal } = {}) => {
      for (;;) {
        signal?.throwIfAborted();
        const { item, revision } = await takeFirst(client, prefix);
        if (item !== undefined) return item;
        const puts = { prefix: true, startRevision: revision + 1, noDelete: true };
        await awaitEvent(client, prefix, puts, signal);
      }
    },
    tryTake: async () => (await takeFirst(client, prefix)).item,
  };
}

async function add(
  client: Client,
  prefix: Buffer,
  random: Random,
  value: Buffer,
  priority: number,
): Promise<void> {
  if (!Number.isInteger(priority) || priority < 0 || priority > PRIORITY_MAX) {
    const why = `priority: ${priority} is no number from 0 to ${PRIORITY_MAX}`;
    throw new KvorumError(ErrorCode.FrameMalformed, why);
  }
  const { revision } = await client.range(prefix, { keysOnly: true });
  for (;;) {
    const drawn = random.below(0x1_0000_0000);
    const place = `${hex(priority, PRIORITY_DIGITS)}/${hex(revision, REVISION_DIGITS)}`;
    const key = Buffer.concat([prefix, Buffer.from(`${place}-${hex(drawn, RANDOM_DIGITS)}`)]);
    const { succeeded } = await client.compareAndSwap(key, { absent: true }, value);
    if (succeeded) return;
  }
}

/** Takes the first item that nobody else takes first. */
async function takeFirst(
  client: Client,
  prefix: Buffer,
): Promise<{ readonly item: QueueItem | undefined; readonly revision: number }> {
  for (;;) {
    const { kvs, revision } = await client.range(prefix, {
      prefix: true,
      limit: TRIED_MAX,
      keysOnly: true,
      uncounted: true,
    });
    const taking = takingOneOf(kvs);
    if (taking === undefined) return { item: undefined, revision };
    const taken = takenBy(await client.txn(taking));
    if (taken !== undefined) return { item: itemOf(taken, prefix), revision };
  }
}

/** Deletes the first of the keys that is still there. */
function takingOneOf(kvs: readonly KeyValue[]): Transaction | undefined {
  let rest: Transaction | undefined;
  for (const { key, createRevision } of kvs.toReversed()) {
    rest = {
      when: [{ key, createRevision }],
      then: [{ delete: key, prevKv: true }],
      otherwise: rest === undefined ? [] : [{ txn: rest }],
    };
  }
  return rest;
}

function takenBy(reply: Pick<TxnReply, 'results' | 'succeeded'>): KeyValue | undefined {
  const answer = reply.results[0];
  if (answer?.kind === OpKind.Txn) return takenBy(answer.result);
  if (!reply.succeeded) return undefined;
  assert(answer?.kind === OpKind.DeleteRange, 'a deletion is answered as one');
  return answer.result.prevKvs[0];
}

function itemOf({ key, value }: KeyValue, prefix: Buffer): QueueItem {
  const digits = key.subarray(prefix.length, prefix.length + PRIORITY_DIGITS).toString('latin1');
  return { value, priority: Number.parseInt(digits, 16), key };
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
