/** Random entries of a log, for a store and for whatever it is compared with. */

import {
  type Compare,
  CompareResult,
  CompareTarget,
  OpKind,
  type TxnOp,
  type TxnRequest,
  type WriteResult,
} from '../../include/kvstore.ts';
import { type ErrorCode, FrameType } from '../../include/rpc.ts';
import { checkRequest } from '../../src/kvstore/check-request.ts';
import type { Random } from '../../src/random.ts';
import type { Machine, StoreModel } from './store-model.ts';
import {
  compareOf,
  deleteOf,
  LEASES,
  randomDelete,
  randomEnd,
  randomKey,
  randomPut,
  randomRange,
} from './store-requests.ts';

/** An entry of the log: what it does to a store, or to a model of one. */
export type Command = (machine: Machine) => unknown;
type Write = (machine: Machine) => WriteResult | ErrorCode;

/** A random entry that suits the state of a model. */
export function randomCommand(random: Random, model: StoreModel): Command {
  const choice = random.below(100);
  if (choice < 55) return randomWrite(random, model);
  if (choice < 85) return randomOnce(random, model);
  if (choice < 88) {
    const ttlSeconds = 1 + random.below(100);
    return (machine) => machine.sessionOpen({ ttlSeconds });
  }
  if (choice < 91) {
    const revision = random.below(model.revision + 3) - 1;
    return (machine) => machine.compact({ revision, physical: false });
  }
  if (choice < 95) {
    const id = randomLease(random);
    const checkpoints = [{ id, remainingSeconds: random.below(9) }];
    return (machine) => machine.leaseCheckpoint({ checkpoints });
  }
  return randomExpiry(random, model);
}

/** A random entry that may delete many keys. */
export function randomDeletion(random: Random, model: StoreModel): Command {
  const choice = random.below(10);
  if (choice < 4) {
    const request = { ...randomDelete(random), rangeEnd: Buffer.from(randomEnd(random), 'latin1') };
    return (machine) => machine.deleteRange(request);
  }
  if (choice < 6) {
    const id = randomLease(random);
    return (machine) => machine.leaseRevoke({ id });
  }
  if (choice < 7) return randomExpiry(random, model);
  const request = deleteOf(randomKey(random), '\0', random.below(2) === 0);
  return randomOnceOf(random, model, (machine) => machine.deleteRange(request));
}

/** Some leases and sessions, some of which were granted or used anew meanwhile. */
function randomExpiry(random: Random, model: StoreModel): Command {
  const isDue = () => random.below(3) === 0;
  const late = () => (random.below(4) === 0 ? 1 : 0);
  const leases = [...model.leases].filter(isDue).map(([id, lease]) => {
    return { id, grantIndex: lease.grantIndex - late() };
  });
  const sessions = [...model.sessions].filter(isDue).map(([session, { lastIndex }]) => {
    return { session, lastIndex: lastIndex - late() };
  });
  return (machine) => machine.expire({ leases, sessions });
}

function randomWrite(random: Random, model: StoreModel): Write {
  const choice = random.below(10);
  if (choice < 3) {
    const request = randomPut(random);
    return (machine) => machine.put(request);
  }
  if (choice < 4) {
    const request = randomDelete(random);
    return (machine) => machine.deleteRange(request);
  }
  if (choice < 5) {
    const request = { id: randomLease(random), ttlSeconds: 1 + random.below(100) };
    return (machine) => machine.leaseGrant(request);
  }
  if (choice < 6) {
    const id = randomLease(random);
    return (machine) => machine.leaseRevoke({ id });
  }
  const request = randomTxn(random, model.revision);
  return (machine) => machine.txn(request);
}

/** A write of a session: often the next one, at times an earlier one again. */
function randomOnce(random: Random, model: StoreModel): Write {
  return randomOnceOf(random, model, randomWrite(random, model));
}

function randomOnceOf(random: Random, model: StoreModel, write: Write): Write {
  const ids = [...model.sessions.keys()];
  const session = random.below(20) === 0 ? 1 : (ids[random.below(ids.length + 1)] ?? 2);
  const known = model.sessions.get(session);
  const last = Math.max(known?.acknowledged ?? 0, ...(known?.answers.keys() ?? []));
  const sequence = Math.max(1, last + 2 - random.below(5));
  const acknowledged = Math.max(0, sequence - 1 - random.below(6));
  const mark = { session, sequence, acknowledged };
  return (machine) => machine.once(mark, () => write(machine));
}

/** A random transaction that passes checkRequest. */
export function randomTxn(random: Random, revision: number): TxnRequest {
  for (;;) {
    const body = randomLevel(random, revision, 1);
    if (checkRequest({ type: FrameType.Txn, body }) === 0) return body;
  }
}

/** A random transaction, maybe one that writes a key twice. */
function randomLevel(random: Random, revision: number, depth: number): TxnRequest {
  const some = <T>(most: number, make: () => T): T[] =>
    Array.from({ length: random.below(most + 1) }, make);
  return {
    compares: some(2, () => randomCompare(random, revision)),
    success: some(4, () => randomOp(random, revision, depth)),
    failure: some(3, () => randomOp(random, revision, depth)),
  };
}

function randomOp(random: Random, revision: number, depth: number): TxnOp {
  const choice = random.below(depth < 3 ? 10 : 8);
  if (choice < 3) return { kind: OpKind.Put, request: randomPut(random) };
  if (choice < 5) return { kind: OpKind.DeleteRange, request: randomDelete(random) };
  if (choice < 8) {
    // Most fail a transaction that are of a revision of their own.
    const at = random.below(8) === 0 ? random.below(revision + 3) - 1 : 0;
    return { kind: OpKind.Range, request: { ...randomRange(random, revision), revision: at } };
  }
  return { kind: OpKind.Txn, request: randomLevel(random, revision, depth + 1) };
}

function randomCompare(random: Random, revision: number): Compare {
  const target = Object.values(CompareTarget)[random.below(5)]!;
  const result = Object.values(CompareResult)[random.below(4)]!;
  const counter = target === CompareTarget.Version ? random.below(4) : random.below(revision + 2);
  const operand =
    target === CompareTarget.Value
      ? `v${random.below(5)}`
      : target === CompareTarget.Lease
        ? random.below(2) === 0
          ? 0n
          : randomLease(random)
        : counter;
  return compareOf(randomKey(random), target, result, operand, randomEnd(random));
}

function randomLease(random: Random): bigint {
  return LEASES[random.below(LEASES.length)]!;
}
