/** A kvorum node as a subject, through the client library. */

import type { Client, Watcher } from '../../include/client.ts';
import {
  type DeleteRangeResult,
  EventKind,
  type KeyValue,
  OpKind,
  type PutResult,
  type RangeResult,
  type TxnOpResult,
  type TxnResult,
  type WatchEvent,
} from '../../include/kvstore.ts';
import { ErrorCode, KvorumError } from '../../include/rpc.ts';
import type { Request } from './etcd-json.ts';
import { type Event, EventLog } from './event-log.ts';
import type { Refusal, Subject, Watching } from './side.ts';
import { type Answer, mapFields, type Step, type WatchStep } from './steps.ts';

/** The class that etcd gives to an error: a gRPC code. */
const CLASSES: ReadonlyMap<ErrorCode, number> = new Map<ErrorCode, number>([
  [ErrorCode.KeyEmpty, 3],
  [ErrorCode.RequestTooLarge, 3],
  [ErrorCode.Compacted, 11],
  [ErrorCode.FutureRevision, 11],
  [ErrorCode.KeyNotFound, 3],
  [ErrorCode.ValueProvided, 3],
  [ErrorCode.LeaseProvided, 3],
  [ErrorCode.LeaseNotFound, 5],
  [ErrorCode.TooManyOperations, 3],
  [ErrorCode.DuplicateKey, 3],
  [ErrorCode.LeaseExists, 9],
  [ErrorCode.LeaseTtlTooLarge, 11],
  [ErrorCode.WatchRangeEmpty, 3],
]);

/** Fields of a step that are bytes. */
const BYTES: ReadonlySet<string> = new Set([
  ...['put', 'get', 'delete', 'watch', 'value', 'key', 'rangeEnd'],
]);

/** A node that is reached by a client. */
export class KvorumNode implements Subject {
  readonly #client: Client;
  readonly #restart: () => Promise<void>;

  /** @param restart ends the node as a power cut would, and starts it again */
  constructor(client: Client, restart: () => Promise<void>) {
    this.#client = client;
    this.#restart = restart;
  }

  async ask(step: Step): Promise<Answer> {
    try {
      if (!('restart' in step)) return await ask(this.#client, withBytes(step));
      await this.#restart();
      // Reads of the local state are older until the log is known to be committed.
      await this.#client.get('\0');
      return {};
    } catch (error) {
      return refusalOf(error);
    }
  }

  async watch(step: WatchStep): Promise<Watching | Refusal> {
    const { watch, ...options } = withBytes(step);
    const watcher = this.#client.watch(watch, options);
    const log = new EventLog();
    const ended = follow(watcher, log);
    try {
      const from = await watcher.created;
      const until = (revision: number) => log.until(revision);
      return { from, until, close: () => void watcher.close() };
    } catch (error) {
      await ended;
      return refusalOf(error);
    }
  }
}

async function follow(watcher: Watcher, log: EventLog): Promise<void> {
  try {
    for await (const { events } of watcher) log.add(events.map(showEvent));
    log.end({ closed: true });
  } catch (error) {
    const isTold = error instanceof KvorumError && 'compactRevision' in error;
    const compactRevision = isTold ? error.compactRevision : 0;
    log.end({ code: refusalOf(error).code, compactRevision });
  }
}

async function ask(client: Client, step: Request): Promise<Answer> {
  if ('put' in step) {
    const { put, value = '', ...options } = step;
    return showPut(await client.put(put, value, options));
  }
  if ('get' in step) {
    const { get, ...options } = step;
    return showRange(await client.range(get, options));
  }
  if ('delete' in step) {
    const { delete: key, ...options } = step;
    return showDeletion(await client.delete(key, options));
  }
  if ('txn' in step) return showTxn(await client.txn(step.txn));
  if ('compact' in step) {
    const { compact, ...options } = step;
    return { revision: (await client.compact(compact, options)).revision };
  }
  if ('grant' in step) {
    const options = step.grant === 0n ? {} : { id: step.grant };
    const { revision, id, ttlSeconds } = await client.grantLease(step.ttlSeconds, options);
    return { revision, id, ttlSeconds };
  }
  if ('revoke' in step) return { revision: (await client.revokeLease(step.revoke)).revision };
  if ('timeToLive' in step) {
    const { timeToLive, ...options } = step;
    const reply = await client.leaseTimeToLive(timeToLive, options);
    const { revision, id, ttlSeconds, grantedTtlSeconds, keys } = reply;
    return { revision, id, ttlSeconds, grantedTtlSeconds, keys: keys.map(showBytes) };
  }
  if ('keepAlive' in step) {
    const { revision, id, ttlSeconds } = await client.keepAliveLease(step.keepAlive);
    return { revision, id, ttlSeconds };
  }
  const { revision, ids } = await client.leases();
  return { revision, ids };
}

/** The same step with bytes for its keys and values. */
function withBytes<T>(step: T): T {
  return mapFields(step, (leaf, field) =>
    typeof leaf === 'string' && BYTES.has(field) ? Buffer.from(leaf, 'latin1') : leaf,
  );
}

function refusalOf(error: unknown): Refusal {
  if (!(error instanceof KvorumError)) throw error;
  return { error: error.message, code: CLASSES.get(error.code) ?? -1 };
}

function showPut({ revision, prevKv }: PutResult): Answer {
  return { revision, ...(prevKv === undefined ? {} : { prevKv: showPair(prevKv) }) };
}

function showRange({ revision, kvs, more, count }: RangeResult): Answer {
  return { revision, kvs: kvs.map(showPair), more, count };
}

function showDeletion({ revision, deleted, prevKvs }: DeleteRangeResult): Answer {
  return { revision, deleted, prevKvs: prevKvs.map(showPair) };
}

function showTxn({ revision, succeeded, results }: TxnResult): Answer {
  return { revision, succeeded, results: results.map(showResult) };
}

function showResult(of: TxnOpResult): Answer {
  switch (of.kind) {
    case OpKind.Range:
      return showRange(of.result);
    case OpKind.Put:
      return showPut(of.result);
    case OpKind.DeleteRange:
      return showDeletion(of.result);
    case OpKind.Txn:
      // etcd tells no revision with a transaction within another.
      return { ...showTxn(of.result), revision: 0 };
  }
}

function showEvent({ kind, kv, prevKv }: WatchEvent): Event {
  return {
    kind: kind === EventKind.Put ? 'put' : 'delete',
    kv: showPair(kv),
    ...(prevKv === undefined ? {} : { prevKv: showPair(prevKv) }),
  };
}

function showPair({ key, value, ...counters }: KeyValue) {
  return { key: showBytes(key), value: showBytes(value), ...counters };
}

function showBytes(bytes: Buffer): string {
  return bytes.toString('latin1');
}
