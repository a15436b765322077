/** Steps and answers in the words of etcd's JSON gateway. */

import type { Bytes, Condition, KeySpan, Operation } from '../../include/client.ts';
import type { Event } from './event-log.ts';
import type { Refusal } from './side.ts';
import type { Answer, Step, WatchStep } from './steps.ts';

/** An object as JSON has it. */
export type Json = { readonly [field: string]: unknown };

/** Whether it is an object. */
export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}

/** A step that is a request. */
export type Request = Exclude<Step, { readonly restart: true }>;

/** Path and body of a request. */
export function requestOf(step: Request): readonly [path: string, body: Json] {
  if ('put' in step) return ['/v3/kv/put', operationBody(step)];
  if ('get' in step) return ['/v3/kv/range', operationBody(step)];
  if ('delete' in step) return ['/v3/kv/deleterange', operationBody(step)];
  if ('txn' in step) return ['/v3/kv/txn', operationBody(step)];
  if ('compact' in step) {
    return ['/v3/kv/compaction', { revision: step.compact, physical: step.physical }];
  }
  if ('grant' in step) {
    return ['/v3/lease/grant', { ID: String(step.grant), TTL: String(step.ttlSeconds) }];
  }
  if ('revoke' in step) return ['/v3/lease/revoke', { ID: String(step.revoke) }];
  if ('timeToLive' in step) {
    return ['/v3/lease/timetolive', { ID: String(step.timeToLive), keys: step.keys }];
  }
  if ('keepAlive' in step) return ['/v3/lease/keepalive', { ID: String(step.keepAlive) }];
  return ['/v3/lease/leases', {}];
}

function operationBody(operation: Operation): Json {
  if ('put' in operation) {
    const { put, value, lease, prevKv, ignoreValue, ignoreLease } = operation;
    return {
      ...{ key: encode(put), value: encode(value), lease: String(lease ?? 0n), prev_kv: prevKv },
      ...{ ignore_value: ignoreValue, ignore_lease: ignoreLease },
    };
  }
  if ('get' in operation) {
    return {
      ...spanOf(operation.get, operation),
      limit: operation.limit,
      revision: operation.revision,
      sort_order: operation.sortOrder,
      sort_target: operation.sortTarget,
      serializable: operation.serializable,
      keys_only: operation.keysOnly,
      count_only: operation.countOnly,
      min_mod_revision: operation.minModRevision,
      max_mod_revision: operation.maxModRevision,
      min_create_revision: operation.minCreateRevision,
      max_create_revision: operation.maxCreateRevision,
    };
  }
  if ('delete' in operation) {
    return { ...spanOf(operation.delete, operation), prev_kv: operation.prevKv };
  }
  const { when = [], then = [], otherwise = [] } = operation.txn;
  return {
    compare: when.map(compareBody),
    success: then.map(wrapped),
    failure: otherwise.map(wrapped),
  };
}

function wrapped(operation: Operation): Json {
  const body = operationBody(operation);
  if ('put' in operation) return { request_put: body };
  if ('get' in operation) return { request_range: body };
  if ('delete' in operation) return { request_delete_range: body };
  return { request_txn: body };
}

function compareBody(condition: Condition): Json {
  const { operator = '=', value, lease, version, createRevision, modRevision } = condition;
  return {
    ...spanOf(condition.key, condition),
    result: { '=': 'EQUAL', '!=': 'NOT_EQUAL', '<': 'LESS', '>': 'GREATER' }[operator],
    ...(version === undefined ? {} : { target: 'VERSION', version }),
    ...(createRevision === undefined ? {} : { target: 'CREATE', create_revision: createRevision }),
    ...(modRevision === undefined ? {} : { target: 'MOD', mod_revision: modRevision }),
    ...(value === undefined ? {} : { target: 'VALUE', value: encode(value) }),
    ...(lease === undefined ? {} : { target: 'LEASE', lease: String(lease) }),
  };
}

/** What creates a watch. */
export function watchBody(step: WatchStep): Json {
  return {
    create_request: {
      ...spanOf(step.watch, step),
      start_revision: step.startRevision,
      prev_kv: step.prevKv,
      filters: [...(step.noPut ? ['NOPUT'] : []), ...(step.noDelete ? ['NODELETE'] : [])],
      progress_notify: step.progressNotify,
    },
  };
}

function spanOf(key: Bytes, { rangeEnd }: KeySpan): Json {
  return { key: encode(key), range_end: encode(rangeEnd) };
}

/** The answer to a request, whatever it is. */
export function answerOf(step: Request, reply: Json): Answer | Refusal {
  if (isJson(reply.error)) return refusalOf(reply.error.message, reply.error.grpc_code);
  if ('error' in reply) return refusalOf(reply.error, reply.code);
  if ('revoke' in step || 'compact' in step) return { revision: revisionOf(reply) };
  if ('grant' in step) {
    return {
      revision: revisionOf(reply),
      id: BigInt(String(reply.ID)),
      ttlSeconds: numberOf(reply.TTL),
    };
  }
  if ('timeToLive' in step) {
    return {
      revision: revisionOf(reply),
      id: BigInt(String(reply.ID ?? 0)),
      ttlSeconds: numberOf(reply.TTL),
      grantedTtlSeconds: numberOf(reply.grantedTTL),
      keys: Array.isArray(reply.keys) ? reply.keys.map(decode) : [],
    };
  }
  if ('keepAlive' in step) {
    const result = isJson(reply.result) ? reply.result : {};
    return {
      revision: revisionOf(result),
      id: BigInt(String(result.ID ?? 0)),
      ttlSeconds: numberOf(result.TTL),
    };
  }
  if ('leases' in step) {
    const ids = listOf(reply.leases).map((lease) => BigInt(String(lease.ID)));
    return { revision: revisionOf(reply), ids };
  }
  return operationAnswer(step, reply);
}

function operationAnswer(operation: Operation, reply: Json): Answer {
  const revision = revisionOf(reply);
  if ('put' in operation) {
    return { revision, ...(isJson(reply.prev_kv) ? { prevKv: pairOf(reply.prev_kv) } : {}) };
  }
  if ('get' in operation) {
    const more = reply.more === true;
    return { revision, kvs: listOf(reply.kvs).map(pairOf), more, count: numberOf(reply.count) };
  }
  if ('delete' in operation) {
    const deleted = numberOf(reply.deleted);
    return { revision, deleted, prevKvs: listOf(reply.prev_kvs).map(pairOf) };
  }
  const succeeded = reply.succeeded === true;
  const { then = [], otherwise = [] } = operation.txn;
  const branch = succeeded ? then : otherwise;
  const results = listOf(reply.responses).map((response, slot) => {
    const [kind, inner] = Object.entries(response)[0] ?? [];
    const asked = branch[slot];
    if (asked === undefined || !isJson(inner)) return { unexpected: kind };
    return operationAnswer(asked, inner);
  });
  return { revision, succeeded, results };
}

/** The events of a message of a watch. */
export function eventsOf(message: Json): readonly Event[] {
  return listOf(message.events).map((event) => ({
    kind: event.type === 'DELETE' ? 'delete' : 'put',
    kv: pairOf(isJson(event.kv) ? event.kv : {}),
    ...(isJson(event.prev_kv) ? { prevKv: pairOf(event.prev_kv) } : {}),
  }));
}

/** A refusal. */
export function refusalOf(text: unknown, code: unknown): Refusal {
  return { error: String(text), code: numberOf(code) };
}

/** The revision that a message's header tells; 0 for none. */
export function revisionOf(reply: Json): number {
  return isJson(reply.header) ? numberOf(reply.header.revision) : 0;
}

/** A counter, which is a text in JSON and left out when it is 0. */
export function numberOf(value: unknown): number {
  return Number(value ?? 0);
}

function pairOf(kv: Json) {
  return {
    key: decode(kv.key),
    value: decode(kv.value),
    createRevision: numberOf(kv.create_revision),
    modRevision: numberOf(kv.mod_revision),
    version: numberOf(kv.version),
    lease: BigInt(String(kv.lease ?? 0)),
  };
}

function listOf(list: unknown): Json[] {
  return Array.isArray(list) ? list.filter(isJson) : [];
}

function encode(bytes: Bytes = ''): string {
  return Buffer.from(String(bytes), 'latin1').toString('base64');
}

function decode(text: unknown): string {
  return Buffer.from(typeof text === 'string' ? text : '', 'base64').toString('latin1');
}
