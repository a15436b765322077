/**
 * The client library: `connect` makes a client of a cluster. See include/client.ts.
 *
 * Here requests get their shape and their promise; which node is asked, and what happens when it
 * does not serve, is the router's.
 */

import {
  type Client,
  type ClientEvent,
  type ClientOptions,
  DIAL_TIMEOUT_MS,
  ENDPOINTS_MAX,
} from '../../include/client.ts';
import {
  ErrorCode,
  FrameType,
  KvorumError,
  REQUEST_TIMEOUT_MS,
  type Reply,
  type Request,
} from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { type Clock, createSystemClock } from '../clock.ts';
import { createRandom, drawSeed, type Random } from '../random.ts';
import { type Endpoint, parseEndpoint } from './endpoint.ts';
import { deleteRequest, getRequest, putRequest, rangeRequest } from './requests.ts';
import { Router } from './router.ts';

export * from '../../include/client.ts';
export { type KeyValue, SortOrder, SortTarget } from '../../include/kvstore.ts';
export { ERRORS, ErrorCode, KvorumError, Retry } from '../../include/rpc.ts';

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

  const ask = (request: Request, timeoutMs = requestTimeoutMs, only?: Endpoint): Promise<Reply> =>
    new Promise((resolve, reject) => router.start(request, only, timeoutMs, resolve, reject));

  return {
    endpoints: endpoints.map((endpoint) => endpoint.name),
    put: async (key, value, how = {}) => {
      const body = putRequest(key, value, how);
      const reply = await ask({ type: FrameType.Put, body }, how.timeoutMs);
      assert(reply.type === FrameType.Put, 'a put is answered by its own reply');
      return reply.body;
    },
    get: async (key, how = {}) => {
      const reply = await ask({ type: FrameType.Range, body: getRequest(key, how) }, how.timeoutMs);
      assert(reply.type === FrameType.Range, 'a get is answered by its own reply');
      return reply.body.kvs[0];
    },
    range: async (key, how = {}) => {
      const body = rangeRequest(key, how);
      const reply = await ask({ type: FrameType.Range, body }, how.timeoutMs);
      assert(reply.type === FrameType.Range, 'a range is answered by its own reply');
      return reply.body;
    },
    delete: async (key, how = {}) => {
      const body = deleteRequest(key, how);
      const reply = await ask({ type: FrameType.DeleteRange, body }, how.timeoutMs);
      assert(reply.type === FrameType.DeleteRange, 'a deletion is answered by its own reply');
      return reply.body;
    },
    compact: async (revision, how = {}) => {
      const body = { revision, physical: how.physical ?? false };
      const reply = await ask({ type: FrameType.Compact, body }, how.timeoutMs);
      assert(reply.type === FrameType.Compact, 'a compaction is answered by its own reply');
      return reply.body;
    },
    status: async (how = {}) => {
      const only = how.endpoint === undefined ? undefined : parseEndpoint(how.endpoint);
      const reply = await ask({ type: FrameType.Status }, how.timeoutMs, only);
      assert(reply.type === FrameType.Status, 'a status is answered by its own reply');
      return reply.body;
    },
    moveLeader: async (target, how = {}) => {
      const reply = await ask({ type: FrameType.MoveLeader, body: { target } }, how.timeoutMs);
      assert(reply.type === FrameType.MoveLeader, 'a transfer is answered by its own reply');
      return reply.body;
    },
    close: async () => router.close(),
  };
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
