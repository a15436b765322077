/**
 * Software transactional memory: a function reads and writes keys as if it were alone; at the end
 * one transaction of the cluster demands that what it rests on still holds, and writes. Else the
 * function runs again (etcd concurrency.NewSTM).
 *
 * A conflict means that somebody else has committed, so that of any number one always gets on; no
 * pause is needed. The transaction that fails answers with what was read as it is now: the next
 * attempt begins with that.
 */

import type { Bytes, Client, Condition, Operation } from '../../../include/client.ts';
import type { KeyValue } from '../../../include/kvstore.ts';
import {
  Isolation,
  type Memory,
  type TransactOptions,
  type TransactResult,
} from '../../../include/recipes.ts';
import { ErrorCode, KvorumError, type RangeReply, type TxnReply } from '../../../include/rpc.ts';
import { rangeAnswer } from './answers.ts';
import { copyBytes } from './recipe-key.ts';

/** The pair that a read found; undefined for an absent key. */
type Found = KeyValue | undefined;

type Read = { readonly key: Buffer; readonly found: Promise<Found> };

/** What is known before an attempt begins: keys as they were at one revision. */
type Known = { readonly revision: number; readonly found: ReadonlyMap<string, Found> };

const NOTHING_KNOWN: Known = { revision: 0, found: new Map() };

/** One run of the function. Maps are by key, as latin1 text. */
type Attempt = {
  readonly client: Client;
  readonly isolation: Isolation;
  readonly known: Known;
  readonly reads: Map<string, Read>;
  readonly writes: Map<string, Operation & { readonly key: Buffer; readonly value?: Buffer }>;
  /** The first read from the cluster; it decides which revision a snapshot is of. */
  first: Promise<RangeReply> | undefined;
  /** The newest revision that a read was answered at. */
  revision: number;
  /** The revision of its snapshot is compacted: it can only begin anew. */
  isStale: boolean;
};

/**
 * Runs a transaction: `run` reads and writes through `memory`, maybe several times, so it should do
 * nothing else. What it throws aborts the transaction: nothing is written.
 *
 * @throws the reason of `options.signal` when that aborts between two attempts
 */
export async function transact<T>(
  client: Client,
  run: (memory: Memory) => Promise<T> | T,
  options: TransactOptions = {},
): Promise<TransactResult<T>> {
  const { isolation = Isolation.SerializableSnapshot, signal } = options;
  let known = NOTHING_KNOWN;
  for (let attemptCount = 1; ; attemptCount += 1) {
    signal?.throwIfAborted();
    const attempt = createAttempt(client, isolation, known);
    known = NOTHING_KNOWN;
    try {
      const result = await run(memoryOf(attempt));
      const outcome = await commit(attempt);
      if (outcome.isCommitted) return { result, revision: outcome.revision, attemptCount };
      known = outcome.known;
    } catch (error) {
      if (!attempt.isStale) throw error;
    }
  }
}

function createAttempt(client: Client, isolation: Isolation, known: Known): Attempt {
  return {
    client,
    isolation,
    known,
    reads: new Map(),
    writes: new Map(),
    first: undefined,
    revision: known.revision,
    isStale: false,
  };
}

function memoryOf(attempt: Attempt): Memory {
  return {
    get: async (key) => {
      const written = attempt.writes.get(nameOf(key));
      return written === undefined ? (await read(attempt, key))?.value : written.value;
    },
    revision: async (key) => (await read(attempt, key))?.modRevision ?? 0,
    put: (key, value, lease = 0n) => {
      const bytes = copyBytes(key);
      const put = { put: bytes, value: copyBytes(value), lease };
      attempt.writes.set(nameOf(bytes), { ...put, key: bytes });
    },
    delete: (key) => {
      const bytes = copyBytes(key);
      attempt.writes.set(nameOf(bytes), { delete: bytes, key: bytes });
    },
  };
}

/** Reads a key once: the second time it is what it was. */
function read(attempt: Attempt, key: Bytes): Promise<Found> {
  const name = nameOf(key);
  const before = attempt.reads.get(name);
  if (before !== undefined && attempt.isolation !== Isolation.ReadCommitted) return before.found;
  const bytes = copyBytes(key);
  const found = attempt.known.found.has(name)
    ? Promise.resolve(attempt.known.found.get(name))
    : ask(attempt, bytes);
  attempt.reads.set(name, { key: bytes, found });
  return found;
}

/** Reads a key from the cluster: of a snapshot, at its revision. */
async function ask(attempt: Attempt, key: Buffer): Promise<Found> {
  const { client, known } = attempt;
  try {
    let reply: RangeReply;
    if (!isSnapshot(attempt)) {
      reply = await client.range(key);
    } else if (known.revision > 0) {
      reply = await client.range(key, { revision: known.revision });
    } else if (attempt.first === undefined) {
      attempt.first = client.range(key);
      reply = await attempt.first;
      attempt.revision = reply.revision;
    } else {
      const { revision } = await attempt.first;
      reply = await client.range(key, { revision });
    }
    if (!isSnapshot(attempt)) attempt.revision = Math.max(attempt.revision, reply.revision);
    return reply.kvs[0];
  } catch (error) {
    if (error instanceof KvorumError && error.code === ErrorCode.Compacted) attempt.isStale = true;
    throw error;
  }
}

type Outcome =
  | { readonly isCommitted: true; readonly revision: number }
  | { readonly isCommitted: false; readonly known: Known };

async function commit(attempt: Attempt): Promise<Outcome> {
  const { client, reads, writes } = attempt;
  const found = new Map<string, Found>();
  for (const [name, each] of reads) found.set(name, await each.found);
  if (writes.size === 0 && (isSnapshot(attempt) || !isChecked(attempt))) {
    return { isCommitted: true, revision: attempt.revision };
  }
  const keys = isChecked(attempt) ? [...reads.values()].map(({ key }) => key) : [];
  const reply = await client.txn({
    when: conditionsOf(attempt, found),
    then: [...writes.values()],
    otherwise: keys.map((key) => ({ get: key })),
  });
  if (reply.succeeded) return { isCommitted: true, revision: reply.revision };
  return { isCommitted: false, known: knownFrom(reply, keys) };
}

/** What must hold for the writes to happen. */
function conditionsOf(attempt: Attempt, found: ReadonlyMap<string, Found>): Condition[] {
  const { isolation, reads, writes, revision } = attempt;
  if (!isChecked(attempt)) return [];
  const unchanged = [...reads].map(([name, { key }]) => ({
    key,
    modRevision: found.get(name)?.modRevision ?? 0,
  }));
  // Without a read there is no snapshot that what is written could have changed since.
  if (isolation !== Isolation.SerializableSnapshot || reads.size === 0) return unchanged;
  const unwritten = [...writes]
    .filter(([name]) => !reads.has(name))
    .map(([, { key }]) => ({ key, operator: '<' as const, modRevision: revision + 1 }));
  return [...unchanged, ...unwritten];
}

function knownFrom(reply: TxnReply, keys: readonly Buffer[]): Known {
  const found = new Map<string, Found>();
  for (const [slot, key] of keys.entries()) {
    found.set(nameOf(key), rangeAnswer(reply, slot).kvs[0]);
  }
  return { revision: reply.revision, found };
}

/** Whether all reads are of one revision. */
function isSnapshot({ isolation }: Attempt): boolean {
  return isolation === Isolation.SerializableSnapshot || isolation === Isolation.Serializable;
}

/** Whether the commit demands that what was read has not changed. */
function isChecked({ isolation }: Attempt): boolean {
  return isolation !== Isolation.ReadCommitted;
}

function nameOf(key: Bytes): string {
  return copyBytes(key).toString('latin1');
}
