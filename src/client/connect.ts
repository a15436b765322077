/**
 * The client library: `connect` makes a client of a cluster. See include/client.ts.
 *
 * Here requests get their shape and their promise; which node is asked, and what happens when it
 * does not serve, is the router's.
 */

import {
  type CallOptions,
  type Client,
  type ClientEvent,
  type ClientOptions,
  DIAL_TIMEOUT_MS,
  ENDPOINTS_MAX,
} from '../../include/client.ts';
import type { KeyValue } from '../../include/kvstore.ts';
import {
  type CompactReply,
  type DeleteRangeReply,
  ErrorCode,
  FrameType,
  KvorumError,
  type MoveLeaderReply,
  type PutReply,
  type RangeReply,
  REQUEST_TIMEOUT_MS,
  type Reply,
  type Request,
  type StatusReply,
} from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { type Clock, createSystemClock } from '../clock.ts';
import { createRandom, drawSeed, type Random } from '../random.ts';
import { type Endpoint, parseEndpoint } from './endpoint.ts';
import {
  compactRequest,
  deleteRequest,
  moveRequest,
  putRequest,
  rangeRequest,
} from './requests.ts';
import { Router } from './router.ts';

export * from '../../include/client.ts';
export { type KeyValue, SortOrder, SortTarget } from '../../include/kvstore.ts';
export * from '../../include/recipes.ts';
export { ERRORS, ErrorCode, KvorumError, Retry } from '../../include/rpc.ts';
export { createBarrier } from './recipes/barrier.ts';
export { createDoubleBarrier } from './recipes/double-barrier.ts';
export { createElection } from './recipes/election.ts';
export { createLock } from './recipes/lock.ts';
export { createQueue } from './recipes/queue.ts';
export { registerService, resolveService, watchService } from './recipes/services.ts';
export { transact } from './recipes/transact.ts';

/** Time and chance, for tests to replace. */
export type Machine = { readonly clock: Clock; readonly random: Random };

const ignoreEvent = (_event: ClientEvent): void => {};

/**
 * Makes a client of a cluster. It connects when first used; close it when done, it keeps the
 * process alive.
 *
 * @param machine the real clock and chance when left out
 * @throws KvorumError BadEndpoint
 */
export function connect(options: ClientOptions, machine: Partial<Machine> = {}): Client {
  const endpoints = parseEndpoints(options.endpoints);
  const requestTimeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  const router = new Router({
    endpoints,
    dialTimeoutMs: options.dialTimeoutMs ?? DIAL_TIMEOUT_MS,
    clock: machine.clock ?? createSystemClock(),
    random: machine.random ?? createRandom(drawSeed()),
    onEvent: options.onEvent ?? ignoreEvent,
  });

  /** Asks, as a promise; what `shape` throws rejects it. */
  const ask = <T>(
    how: CallOptions,
    shape: () => Request,
    pick: (reply: Reply) => T,
    endpoint?: string,
  ): Promise<T> =>
    new Promise((resolve, reject) => {
      const only = endpoint === undefined ? undefined : parseEndpoint(endpoint);
      const timeoutMs = how.timeoutMs ?? requestTimeoutMs;
      router.start(shape(), only, timeoutMs, (reply) => resolve(pick(reply)), reject);
    });

  return {
    endpoints: endpoints.map((endpoint) => endpoint.name),
    put: (key, value, how = {}) =>
      ask(how, () => ({ type: FrameType.Put, body: putRequest(key, value, how) }), pickPut),
    get: (key, how = {}) =>
      ask(how, () => ({ type: FrameType.Range, body: rangeRequest(key, how) }), pickPair),
    range: (key, how = {}) =>
      ask(how, () => ({ type: FrameType.Range, body: rangeRequest(key, how) }), pickRange),
    delete: (key, how = {}) =>
      ask(how, () => ({ type: FrameType.DeleteRange, body: deleteRequest(key, how) }), pickDelete),
    compact: (revision, how = {}) =>
      ask(
        how,
        () => ({ type: FrameType.Compact, body: compactRequest(revision, how) }),
        pickCompact,
      ),
    status: (how = {}) => ask(how, () => ({ type: FrameType.Status }), pickStatus, how.endpoint),
    moveLeader: (target, how = {}) =>
      ask(how, () => ({ type: FrameType.MoveLeader, body: moveRequest(target) }), pickMoveLeader),
    close: async () => router.close(),
  };
}

function pickPut(reply: Reply): PutReply {
  assert(reply.type === FrameType.Put, 'a put is answered by its own reply', reply.type);
  return reply.body;
}

function pickRange(reply: Reply): RangeReply {
  assert(reply.type === FrameType.Range, 'a range is answered by its own reply', reply.type);
  return reply.body;
}

function pickPair(reply: Reply): KeyValue | undefined {
  return pickRange(reply).kvs[0];
}

function pickDelete(reply: Reply): DeleteRangeReply {
  const isOwn = reply.type === FrameType.DeleteRange;
  assert(isOwn, 'a deletion is answered by its own reply', reply.type);
  return reply.body;
}

function pickCompact(reply: Reply): CompactReply {
  const isOwn = reply.type === FrameType.Compact;
  assert(isOwn, 'a compaction is answered by its own reply', reply.type);
  return reply.body;
}

function pickStatus(reply: Reply): StatusReply {
  assert(reply.type === FrameType.Status, 'a status is answered by its own reply', reply.type);
  return reply.body;
}

function pickMoveLeader(reply: Reply): MoveLeaderReply {
  const isOwn = reply.type === FrameType.MoveLeader;
  assert(isOwn, 'a transfer is answered by its own reply', reply.type);
  return reply.body;
}

function parseEndpoints(texts: readonly string[]): readonly Endpoint[] {
  if (texts.length === 0) throw new KvorumError(ErrorCode.BadEndpoint, 'no endpoints are given');
  if (texts.length > ENDPOINTS_MAX) {
    const why = `${texts.length} endpoints are given, at most ${ENDPOINTS_MAX} are allowed`;
    throw new KvorumError(ErrorCode.BadEndpoint, why);
  }
  const byName = new Map<string, Endpoint>();
  for (const endpoint of texts.map(parseEndpoint)) byName.set(endpoint.name, endpoint);
  return [...byName.values()];
}
