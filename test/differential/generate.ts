/**
 * Random sequences: every request with every option, right ones and wrong ones, on few keys and
 * leases, so that they meet.
 *
 * What is left out, and why:
 * - more than 12 keys: sorting by anything but the key leaves ties in no promised order; etcd's
 *   sort keeps the order of keys among up to 12, so that even ties can be compared.
 * - a watch from exactly a compacted revision: etcd may have removed a deletion at it, or not yet.
 * - leases that run out: time is not the same on both sides (a short one is revoked at once).
 * - unknown sort targets end etcd 3.4.23, unknown compare targets and results hold there; keys
 *   above 1,900 bytes are kvorum's own limit, transactions within each other deeper than 16 too.
 * - in one transaction, a deletion whose end is not behind its start (all keys from one on, too)
 *   and a put that keeps its value or lease, or a second deletion: etcd's check for keys written
 *   twice does not see where such a range ends. It may run into a key that is gone, and end, or
 *   find or miss another range by the shape of its tree.
 * - an operation without content: the library has no words for it.
 */

import type { CompareOperator, Condition, Operation, Transaction } from '../../include/client.ts';
import { SortOrder, SortTarget } from '../../include/kvstore.ts';
import type { Random } from '../../src/random.ts';
import type { Sequence, Step, WatchStep } from './steps.ts';

/** Prefixes of each other, and bytes at both ends of their range. At most 12. */
const KEYS = ['a', 'aa', 'ab', 'b', 'b\xff', 'b\xff\xff', 'c', 'c\0', 'd', '\xff', '\0', '\0\0'];
const VALUES = ['', 'v0', 'v1', 'v2', 'v\0', '\xff\xff'];
/** Etcd takes negative ids too. */
const LEASES = [1n, 2n, 3n, -7n, 9_223_372_036_854_775_807n];
const OPERATORS: readonly CompareOperator[] = ['=', '!=', '<', '>'];
const ORDERS = Object.values(SortOrder);
const TARGETS = Object.values(SortTarget);

/** Seconds, more than any test takes. */
const TTLS = [1_000, 100_000, 9_000_000_000];
const TTLS_STRANGE = [0, -5, 1, 9_000_000_001, Number.MAX_SAFE_INTEGER];

/** Operations of one transaction, at most (TXN_OPS_MAX). */
const OPS_MAX = 128;

/** What the generator believes of the state; what it believes wrongly makes other requests. */
type Belief = {
  readonly random: Random;
  revision: number;
  compactRevision: number;
  /** No compaction goes to where a watch starts, no watch starts where a compaction goes. */
  readonly compactions: Set<number>;
  readonly watchStarts: Set<number>;
  readonly leases: Set<bigint>;
};

/** The sequence of a seed. */
export function generate(random: Random): Sequence {
  const belief: Belief = {
    random,
    revision: 1,
    compactRevision: 1,
    compactions: new Set([1]),
    watchStarts: new Set(),
    leases: new Set(),
  };
  const steps: (Step | WatchStep)[] = [];
  if (isOnce(random, 2)) steps.push(grant(belief, pick(random, LEASES)));
  const count = 4 + random.below(random.below(3) === 0 ? 60 : 20);
  while (steps.length < count) steps.push(anyStep(belief));
  return steps;
}

function anyStep(belief: Belief): Step | WatchStep {
  const choice = belief.random.below(100);
  if (choice < 26) return written(belief, put(belief));
  if (choice < 48) return get(belief);
  if (choice < 56) return written(belief, remove(belief));
  if (choice < 75) return written(belief, { txn: harmlessTransaction(belief) });
  if (choice < 76) return written(belief, { txn: largeTransaction(belief) });
  if (choice < 79) return compact(belief);
  if (choice < 93) return lease(belief);
  if (isOnce(belief.random, 40)) return { restart: true };
  return watch(belief);
}

function written<T extends Step>(belief: Belief, step: T): T {
  belief.revision += 1;
  return step;
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.below(list.length)]!;
}

/** Whether something happens that does so once in `count` times. */
function isOnce(random: Random, count: number): boolean {
  return random.below(count) === 0;
}

/** The fields, or none of them, `count` - 1 of `count` times. */
function sometimes<T extends object>(random: Random, count: number, fields: () => T): Partial<T> {
  return isOnce(random, count) ? fields() : {};
}

function anyKey(random: Random): string {
  return isOnce(random, 200) ? '' : pick(random, KEYS);
}

/** An end for a range; empty and reversed ranges too. */
function anyEnd(random: Random): string {
  const choice = random.below(4);
  return choice === 0 ? '' : choice === 1 ? '\0' : pick(random, KEYS);
}

/** A revision that exists, did exist, or will. */
function anyRevision({ random, revision, compactRevision }: Belief): number {
  const choice = random.below(20);
  if (choice < 2) return compactRevision - 1 + random.below(3);
  if (choice < 3) return revision + random.below(4);
  if (choice < 4) return -1 - random.below(3);
  return 1 + random.below(revision);
}

function put({ random, leases }: Belief): Operation {
  const ignoreValue = isOnce(random, 15);
  const ignoreLease = isOnce(random, 15);
  const isWrong = isOnce(random, 10);
  return {
    put: anyKey(random),
    value: ignoreValue && !isWrong ? '' : pick(random, VALUES),
    ...(ignoreLease && !isWrong
      ? {}
      : sometimes(random, 3, () => ({
          lease: pick(random, isOnce(random, 10) ? LEASES : [0n, ...leases]),
        }))),
    ...sometimes(random, 2, () => ({ prevKv: true })),
    ...(ignoreValue ? { ignoreValue } : {}),
    ...(ignoreLease ? { ignoreLease } : {}),
  };
}

function get(belief: Belief): Operation {
  const { random } = belief;
  const some = (): number => anyRevision(belief);
  const isAll = isOnce(random, 3);
  return {
    get: isAll ? '\0' : anyKey(random),
    rangeEnd: isAll ? '\0' : anyEnd(random),
    ...sometimes(random, 2, () => ({ limit: random.below(7) - 1 })),
    ...sometimes(random, 2, () => ({ revision: some() })),
    ...sometimes(random, 2, () => ({ sortOrder: pick(random, ORDERS) })),
    ...sometimes(random, 2, () => ({ sortTarget: pick(random, TARGETS) })),
    ...sometimes(random, 4, () => ({ serializable: true })),
    ...sometimes(random, 8, () => ({ keysOnly: true })),
    ...sometimes(random, 8, () => ({ countOnly: true })),
    ...sometimes(random, 6, () => ({ minModRevision: some() })),
    ...sometimes(random, 6, () => ({ maxModRevision: some() })),
    ...sometimes(random, 6, () => ({ minCreateRevision: some() })),
    ...sometimes(random, 6, () => ({ maxCreateRevision: some() })),
  };
}

function remove({ random }: Belief): Operation {
  return {
    delete: anyKey(random),
    ...sometimes(random, 2, () => ({ rangeEnd: anyEnd(random) })),
    ...sometimes(random, 2, () => ({ prevKv: true })),
  };
}

/** One that etcd survives, and judges by what it says. */
function harmlessTransaction(belief: Belief): Transaction {
  for (;;) {
    const candidate = transaction(belief, 3);
    const operations = listOperations(candidate);
    const deletions = operations.filter((operation) => 'delete' in operation);
    const isOpen = deletions.some((deletion) => isBackwards(deletion));
    const isKeeping = operations.some(
      (operation) => 'put' in operation && (operation.ignoreValue || operation.ignoreLease),
    );
    if (!isOpen || (!isKeeping && deletions.length === 1)) return candidate;
  }
}

/** Of a range of keys, whether its end is not behind its start: all keys from one on, too. */
function isBackwards(operation: Operation): boolean {
  if (!('delete' in operation)) return false;
  const { delete: start, rangeEnd = '' } = operation;
  return rangeEnd !== '' && rangeEnd <= start;
}

function listOperations({ then = [], otherwise = [] }: Transaction): Operation[] {
  return [...then, ...otherwise].flatMap((operation) =>
    'txn' in operation ? listOperations(operation.txn) : [operation],
  );
}

function transaction(belief: Belief, depth: number): Transaction {
  const { random } = belief;
  const most = depth === 3 ? 4 : 3;
  const operations = (): Operation[] =>
    Array.from({ length: random.below(most) }, () => operation(belief, depth));
  return {
    when: Array.from({ length: random.below(3) }, () => condition(belief)),
    then: operations(),
    otherwise: operations(),
  };
}

/** An operation; most write to keys of their own, or nearly all would be refused as duplicates. */
function operation(belief: Belief, depth: number): Operation {
  const choice = belief.random.below(10);
  if (choice < 4) return put(belief);
  if (choice < 7) return get(belief);
  if (choice < 8 || depth === 0) return remove(belief);
  return { txn: transaction(belief, depth - 1) };
}

function condition(belief: Belief): Condition {
  const { random } = belief;
  return {
    key: anyKey(random),
    ...sometimes(random, 4, () => ({ rangeEnd: anyEnd(random) })),
    ...sometimes(random, 2, () => ({ operator: pick(random, OPERATORS) })),
    ...operand(belief),
  };
}

function operand(belief: Belief): Partial<Condition> {
  const { random } = belief;
  switch (random.below(5)) {
    case 0:
      return { version: random.below(5) - 1 };
    case 1:
      return { createRevision: isOnce(random, 3) ? 0 : anyRevision(belief) };
    case 2:
      return { modRevision: isOnce(random, 3) ? 0 : anyRevision(belief) };
    case 3:
      return { value: pick(random, VALUES) };
    default:
      return { lease: isOnce(random, 2) ? 0n : pick(random, LEASES) };
  }
}

/** As many operations as are allowed, or one more, in one level or two. */
function largeTransaction({ random }: Belief): Transaction {
  const outer = isOnce(random, 2) ? OPS_MAX : 1 + random.below(OPS_MAX - 1);
  const gets = (count: number): Operation[] =>
    Array.from({ length: count }, () => ({ get: pick(random, KEYS) }));
  const inner = gets(OPS_MAX - outer + random.below(2));
  const nested: Operation = {
    txn: isOnce(random, 2) ? { then: inner } : { then: [], otherwise: inner },
  };
  const operations = [...gets(outer - 1), inner.length === 0 ? { get: 'a' } : nested];
  return isOnce(random, 2) ? { then: operations } : { then: [], otherwise: operations };
}

function compact(belief: Belief): Step {
  const { random } = belief;
  let revision = anyRevision(belief);
  while (belief.watchStarts.has(revision)) revision += 1;
  if (revision > 0) belief.compactions.add(revision);
  if (revision <= belief.revision) {
    belief.compactRevision = Math.max(belief.compactRevision, revision);
  }
  return { compact: revision, ...sometimes(random, 5, () => ({ physical: true })) };
}

function lease(belief: Belief): Step {
  const { random } = belief;
  const id = isOnce(random, 12) ? 0n : pick(random, LEASES);
  const choice = random.below(14);
  if (choice < 6) return grant(belief, id);
  if (choice < 9) {
    belief.leases.delete(id);
    return written(belief, { revoke: id });
  }
  if (choice < 12) return { timeToLive: id, ...sometimes(random, 2, () => ({ keys: true })) };
  return choice < 13 ? { keepAlive: id } : { leases: true };
}

function grant({ random, leases }: Belief, id: bigint): Step {
  if (isOnce(random, 6)) return { grant: id, ttlSeconds: pick(random, TTLS_STRANGE) };
  leases.add(id);
  return { grant: id, ttlSeconds: pick(random, TTLS) };
}

function watch(belief: Belief): WatchStep {
  const { random, compactRevision } = belief;
  const isAll = isOnce(random, 3);
  let startRevision = isOnce(random, 3) ? 0 : Math.max(2, anyRevision(belief));
  if (compactRevision > 3 && isOnce(random, 4))
    startRevision = 2 + random.below(compactRevision - 3);
  while (belief.compactions.has(startRevision)) startRevision += 1;
  if (startRevision > 0) belief.watchStarts.add(startRevision);
  return {
    watch: isAll ? '\0' : anyKey(random),
    ...(isAll ? { rangeEnd: '\0' } : sometimes(random, 2, () => ({ rangeEnd: anyEnd(random) }))),
    ...(startRevision === 0 ? {} : { startRevision }),
    ...sometimes(random, 2, () => ({ prevKv: true })),
    ...sometimes(random, 5, () => ({ noPut: true })),
    ...sometimes(random, 5, () => ({ noDelete: true })),
    ...sometimes(random, 5, () => ({ progressNotify: true })),
  };
}
