/**
 * The client library: `connect` makes a client of a cluster. See include/client.ts.
 *
 * Here requests get their shape and their promise; which node is asked, and what happens when it
 * does not serve, is the router's.
 */

import {
  type Bytes,
  type CallOptions,
  type Client,
  type ClientEvent,
  type ClientOptions,
  DIAL_TIMEOUT_MS,
  ENDPOINTS_MAX,
  type WatchOptions,
} from '../../include/client.ts';
import { AlarmAction, OpKind, type TxnRequest } from '../../include/kvstore.ts';
import {
  ErrorCode,
  FrameType,
  KvorumError,
  type LeaseKeepAliveRequest,
  type LeaseRevokeReply,
  REQUEST_TIMEOUT_MS,
} from '../../include/rpc.ts';
import { type Clock, createSystemClock } from '../clock.ts';
import { createRandom, drawSeed, type Random } from '../random.ts';
import { type OpenStream, openTcp } from '../rpc/dial.ts';
import {
  type Ask,
  createAsk,
  pickAlarms,
  pickCompact,
  pickDelete,
  pickGrant,
  pickHash,
  pickKeepAlive,
  pickLeases,
  pickLogLevel,
  pickMetrics,
  pickMoveLeader,
  pickPair,
  pickPut,
  pickRange,
  pickRevoke,
  pickStatus,
  pickTimeToLive,
  pickTxn,
} from './ask.ts';
import { type Endpoint, parseEndpoint } from './endpoint.ts';
import { readHistory } from './history.ts';
import { LeaseKeeper, RENEWALS_IN_TTL } from './lease-keeper.ts';
import { memberRequests } from './members.ts';
import { readPages } from './pages.ts';
import {
  compactRequest,
  deleteRequest,
  grantRequest,
  integer,
  leaseOf,
  moveRequest,
  putRequest,
  rangeRequest,
  watchRequest,
} from './requests.ts';
import { Router } from './router.ts';
import { downloadSnapshot } from './snapshot-download.ts';
import { swapReply, swapRequest, txnRequest } from './transactions.ts';
import { WatchTask } from './watcher.ts';

export * from '../../include/client.ts';
export {
  EventKind,
  type KeyValue,
  OpKind,
  SortOrder,
  SortTarget,
  type WatchEvent,
} from '../../include/kvstore.ts';
export { ERRORS, ErrorCode, KvorumError, Retry } from '../../include/rpc.ts';

/**
 * Time, chance and the way to a node: for tests to replace, and for a program that has its node
 * inside.
 */
export type Machine = {
  readonly clock: Clock;
  readonly random: Random;
  readonly openStream: OpenStream;
};

/** The parts of a client that its requests are made with. */
type Parts = {
  readonly clock: Clock;
  readonly router: Router;
  readonly ask: Ask;
  readonly keeper: LeaseKeeper;
};

/** The numbers of watches are 1 to this. */
const WATCH_ID_MAX = 0xffff_ffff;

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
  const clock = machine.clock ?? createSystemClock();
  const { dialTimeoutMs = DIAL_TIMEOUT_MS } = options;
  const { openStream = openTcp } = machine;
  const router = new Router({
    endpoints,
    dialTimeoutMs,
    hasSessions: options.sessions ?? true,
    clock,
    random: machine.random ?? createRandom(drawSeed()),
    openStream,
    onEvent: options.onEvent ?? ignoreEvent,
  });
  const ask = createAsk(router, options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS);
  const keeper = new LeaseKeeper(router, clock, (id) => revoke(ask, id, {}));
  const parts: Parts = { clock, router, ask, keeper };

  return {
    endpoints: endpoints.map((endpoint) => endpoint.name),
    ...keyRequests(parts),
    ...txnRequests(parts),
    ...watchRequests(parts),
    ...leaseRequests(parts),
    ...clusterRequests(parts),
    snapshot: (take, how = {}) => {
      const endpoint = how.endpoint === undefined ? endpoints[0]! : parseEndpoint(how.endpoint);
      return downloadSnapshot({ endpoint, dialTimeoutMs, clock, openStream }, take, how);
    },
    ...memberRequests(ask),
    close: async () => {
      keeper.close();
      router.close();
    },
  };
}

type KeyRequests = Pick<Client, 'put' | 'get' | 'range' | 'delete' | 'pages'>;

function keyRequests({ ask }: Parts): KeyRequests {
  return {
    put: (key, value, how = {}) =>
      ask(how, () => ({ type: FrameType.Put, body: putRequest(key, value, how) }), pickPut),
    get: (key, how = {}) =>
      ask(how, () => ({ type: FrameType.Range, body: rangeRequest(key, how) }), pickPair),
    range: (key, how = {}) =>
      ask(how, () => ({ type: FrameType.Range, body: rangeRequest(key, how) }), pickRange),
    delete: (key, how = {}) =>
      ask(how, () => ({ type: FrameType.DeleteRange, body: deleteRequest(key, how) }), pickDelete),
    pages: (key, how = {}) => readPages(ask, key, how),
  };
}

type TxnRequests = Pick<Client, 'txn' | 'compareAndSwap' | 'compareAndDelete'>;

function txnRequests({ ask }: Parts): TxnRequests {
  const asTxn = (body: TxnRequest) => ({ type: FrameType.Txn, body });
  return {
    txn: (transaction, how = {}) => ask(how, () => asTxn(txnRequest(transaction)), pickTxn),
    compareAndSwap: async (key, expected, value, how = {}) => {
      const shape = () => {
        const request = putRequest(key, value, how);
        return asTxn(swapRequest(key, expected, { kind: OpKind.Put, request }));
      };
      return swapReply(await ask(how, shape, pickTxn));
    },
    compareAndDelete: async (key, expected, how = {}) => {
      const shape = () => {
        const request = deleteRequest(key, {});
        return asTxn(swapRequest(key, expected, { kind: OpKind.DeleteRange, request }));
      };
      return swapReply(await ask(how, shape, pickTxn));
    },
  };
}

type WatchRequests = Pick<Client, 'watch' | 'history'>;

function watchRequests({ clock, router, ask }: Parts): WatchRequests {
  let watchId = 0;
  const drawWatchId = (): number => {
    watchId = (watchId % WATCH_ID_MAX) + 1;
    return watchId;
  };
  const watch = (key: Bytes, how: WatchOptions = {}) => {
    const only = how.endpoint === undefined ? undefined : parseEndpoint(how.endpoint);
    return new WatchTask({ router, request: watchRequest(key, how), only, drawWatchId });
  };
  return {
    watch,
    history: (key, how = {}) => readHistory({ ask, watch, clock }, key, how),
  };
}

type LeaseRequests = Pick<
  Client,
  | 'grantLease'
  | 'revokeLease'
  | 'keepAliveLease'
  | 'leaseTimeToLive'
  | 'leases'
  | 'holdLease'
  | 'keepLease'
>;

function leaseRequests({ clock, ask, keeper }: Parts): LeaseRequests {
  const grantLease: Client['grantLease'] = (ttlSeconds, how = {}) =>
    ask(
      how,
      () => ({ type: FrameType.LeaseGrant, body: grantRequest(ttlSeconds, how) }),
      pickGrant,
    );
  const keepAliveLease: Client['keepAliveLease'] = (id, how = {}) =>
    ask(how, () => ({ type: FrameType.LeaseKeepAlive, body: leaseNamed(id) }), pickKeepAlive);
  const keepLease: Client['keepLease'] = async (id, how = {}) => {
    const askedMs = clock.nowMs();
    const { ttlSeconds } = await keepAliveLease(id, how);
    if (ttlSeconds <= 0) throw new KvorumError(ErrorCode.LeaseNotFound);
    return keeper.keep(id, ttlSeconds, askedMs);
  };
  return {
    grantLease,
    revokeLease: (id, how = {}) => revoke(ask, id, how),
    keepAliveLease,
    leaseTimeToLive: (id, how = {}) => {
      const shape = () => ({ ...leaseNamed(id), keys: how.keys ?? false });
      return ask(how, () => ({ type: FrameType.LeaseTimeToLive, body: shape() }), pickTimeToLive);
    },
    leases: (how = {}) => ask(how, () => ({ type: FrameType.LeaseList }), pickLeases),
    holdLease: async (ttlSeconds, how = {}) => {
      const askedMs = clock.nowMs();
      const granted = await grantLease(ttlSeconds, how);
      // Granted late, it has more time left than it may count on: the first renewal says.
      const isLate = clock.nowMs() - askedMs > (granted.ttlSeconds * 1_000) / RENEWALS_IN_TTL;
      if (isLate) return keepLease(granted.id, how);
      return keeper.keep(granted.id, granted.ttlSeconds, askedMs);
    },
    keepLease,
  };
}

type ClusterRequests = Pick<
  Client,
  | 'compact'
  | 'status'
  | 'hashKv'
  | 'metrics'
  | 'setLogLevel'
  | 'alarms'
  | 'disarmAlarm'
  | 'moveLeader'
>;

function clusterRequests({ ask }: Parts): ClusterRequests {
  return {
    compact: (revision, how = {}) =>
      ask(
        how,
        () => ({ type: FrameType.Compact, body: compactRequest(revision, how) }),
        pickCompact,
      ),
    status: (how = {}) => ask(how, () => ({ type: FrameType.Status }), pickStatus, how.endpoint),
    metrics: (how = {}) => ask(how, () => ({ type: FrameType.Metrics }), pickMetrics, how.endpoint),
    setLogLevel: (level, how = {}) => {
      const body = { level };
      return ask(how, () => ({ type: FrameType.LogLevel, body }), pickLogLevel, how.endpoint);
    },
    hashKv: (how = {}) => {
      const shape = () => ({ revision: integer('revision', how.revision) });
      const request = () => ({ type: FrameType.HashKv, body: shape() }) as const;
      return ask(how, request, pickHash, how.endpoint);
    },
    alarms: (how = {}) => ask(how, () => ({ type: FrameType.AlarmList }), pickAlarms),
    disarmAlarm: (alarm, how = {}) => {
      const body = { ...alarm, action: AlarmAction.Disarm };
      return ask(how, () => ({ type: FrameType.AlarmSet, body }), pickAlarms);
    },
    moveLeader: (target, how = {}) =>
      ask(how, () => ({ type: FrameType.MoveLeader, body: moveRequest(target) }), pickMoveLeader),
  };
}

function revoke(ask: Ask, id: bigint, how: CallOptions): Promise<LeaseRevokeReply> {
  return ask(how, () => ({ type: FrameType.LeaseRevoke, body: leaseNamed(id) }), pickRevoke);
}

function leaseNamed(id: bigint): LeaseKeepAliveRequest {
  return { id: leaseOf(id) };
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
