/**
 * The queue in which locks and elections are given, one after the other. A contender's key is
 * `name/lease in hex`; the oldest key below `name/`, by create revision, holds. Each waits for the
 * one right before it, so that an end wakes one contender and not all. etcd's layout and rules.
 *
 * Invariant: a contender that failed or gave up has left the queue, or will with its lease.
 */

import type { Bytes, Client, Operation } from '../../../include/client.ts';
import { type KeyValue, SortOrder, SortTarget } from '../../../include/kvstore.ts';
import type { HoldOptions } from '../../../include/recipes.ts';
import { rangeAnswer } from './answers.ts';
import { copyBytes, keyBelow } from './recipe-key.ts';
import { explainLoss, notHeld, type Tenure, takeLease, waitingSignal } from './tenure.ts';
import { awaitGone } from './watch-events.ts';

/** A contender whose turn has come. */
export type Contender = {
  readonly key: Buffer;
  /** The create revision of its key. */
  readonly token: number;
  /** A revision at which it was its turn. */
  readonly revision: number;
  readonly lost: AbortSignal;
  /** Puts another value. @throws KvorumError NotHeld */
  readonly replace: (value: Buffer) => Promise<void>;
  readonly leave: () => Promise<void>;
};

/** A place in the queue. */
type Place = {
  readonly tenure: Tenure;
  readonly prefix: Buffer;
  readonly key: Buffer;
  readonly token: number;
  /** The revision of the answer. */
  readonly revision: number;
  readonly isFirst: boolean;
  /** Another one of the same lease has made it. */
  readonly isShared: boolean;
};

/** Enters the queue and waits for its turn. */
export async function contend(
  client: Client,
  name: Bytes,
  value: Bytes,
  options: HoldOptions,
  signal: AbortSignal | undefined,
): Promise<Contender> {
  signal?.throwIfAborted();
  const tenure = await takeLease(client, options);
  let place: Place | undefined;
  try {
    place = await enter(client, tenure, name, copyBytes(value));
    const turn = place.isFirst ? place.revision : await awaitTurn(client, place, signal);
    signal?.throwIfAborted();
    return hold(client, place, turn);
  } catch (error) {
    await abandon(client, tenure, place);
    throw explainLoss(tenure, error);
  }
}

/** Enters the queue; undefined when it is not its turn at once. */
export async function contendNow(
  client: Client,
  name: Bytes,
  options: HoldOptions,
): Promise<Contender | undefined> {
  const tenure = await takeLease(client, options);
  let place: Place | undefined;
  try {
    place = await enter(client, tenure, name, Buffer.alloc(0));
    if (place.isFirst) return hold(client, place, place.revision);
  } catch (error) {
    await abandon(client, tenure, place);
    throw explainLoss(tenure, error);
  }
  await leave(client, place);
  return undefined;
}

/** The pair of whoever's turn it is. */
export async function firstOf(
  client: Client,
  name: Bytes,
): Promise<{ readonly pair: KeyValue | undefined; readonly revision: number }> {
  const { kvs, revision } = await client.range(keyBelow(name, ''), {
    prefix: true,
    sortTarget: SortTarget.Create,
    sortOrder: SortOrder.Ascend,
    limit: 1,
  });
  return { pair: kvs[0], revision };
}

async function enter(client: Client, tenure: Tenure, name: Bytes, value: Buffer): Promise<Place> {
  const lease = tenure.lease.id;
  const prefix = keyBelow(name, '');
  const key = keyBelow(name, lease.toString(16));
  const first: Operation = {
    get: prefix,
    prefix: true,
    sortTarget: SortTarget.Create,
    sortOrder: SortOrder.Ascend,
    limit: 1,
    keysOnly: true,
  };
  const reply = await client.txn({
    when: [{ key, createRevision: 0 }],
    then: [{ put: key, value, lease }, first],
    otherwise: [{ get: key }, first],
  });
  const known = reply.succeeded ? undefined : rangeAnswer(reply, 0).kvs[0];
  const token = known?.createRevision ?? reply.revision;
  const place: Place = {
    tenure,
    prefix,
    key,
    token,
    revision: reply.revision,
    isFirst: rangeAnswer(reply, 1).kvs[0]?.createRevision === token,
    isShared: known !== undefined,
  };
  if (known !== undefined && !known.value.equals(value)) await replace(client, place, value);
  return place;
}

/** Waits until nobody is before a place. Returns a revision at which that was so. */
async function awaitTurn(
  client: Client,
  place: Place,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { key, prefix, token, tenure } = place;
  const waiting = waitingSignal(tenure, signal);
  for (;;) {
    const reply = await client.txn({
      then: [
        { get: key, keysOnly: true },
        {
          get: prefix,
          prefix: true,
          maxCreateRevision: token - 1,
          sortTarget: SortTarget.Create,
          sortOrder: SortOrder.Descend,
          limit: 1,
          keysOnly: true,
        },
      ],
    });
    if (rangeAnswer(reply, 0).kvs[0]?.createRevision !== token)
      throw notHeld('its key was deleted');
    const before = rangeAnswer(reply, 1).kvs[0];
    if (before === undefined) return reply.revision;
    await awaitGone(client, before, reply.revision, waiting);
  }
}

/** A place whose turn has come: watches over its key and its lease until it is left. */
function hold(client: Client, place: Place, revision: number): Contender {
  const { key, token } = place;
  const { lease } = place.tenure;
  const lost = new AbortController();
  const left = new AbortController();
  const lose = (cause: unknown): void => {
    if (!left.signal.aborted) lost.abort(cause);
    left.abort();
  };
  const onLeaseLost = (): void => lose(notHeld('its lease is lost', lease.lost.reason));
  lease.lost.addEventListener('abort', onLeaseLost, { once: true, signal: left.signal });
  if (lease.lost.aborted) onLeaseLost();
  awaitGone(client, { key, createRevision: token }, revision, left.signal).then(
    () => lose(notHeld('its key was deleted')),
    (error: unknown) => lose(notHeld('its key cannot be watched', error)),
  );
  return {
    key,
    token,
    revision,
    lost: lost.signal,
    replace: (value) => replace(client, place, value),
    leave: async () => {
      left.abort();
      await leave(client, place);
    },
  };
}

async function replace(client: Client, place: Place, value: Buffer): Promise<void> {
  const { key, token, tenure } = place;
  const { succeeded } = await client.txn({
    when: [{ key, createRevision: token }],
    then: [{ put: key, value, lease: tenure.lease.id }],
  });
  if (!succeeded) throw notHeld('its key was deleted');
}

/** Leaves the queue. The key may be another's by now, made on the same lease: that one stays. */
async function leave(client: Client, { tenure, key, token }: Place): Promise<void> {
  if (tenure.isOwn) return tenure.lease.release();
  await client.txn({ when: [{ key, createRevision: token }], then: [{ delete: key }] });
}

/**
 * Leaves the queue after a failure, if it can: it is the failure that is told. A place that another
 * one of the same lease has made is still that one's.
 */
async function abandon(client: Client, tenure: Tenure, place: Place | undefined): Promise<void> {
  try {
    if (tenure.isOwn) await tenure.lease.release();
    else if (place !== undefined && !place.isShared) await leave(client, place);
  } catch {
    // The lease is no longer renewed, or its owner ends it: the key goes with it.
  }
}
