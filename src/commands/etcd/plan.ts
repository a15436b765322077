/**
 * What a node is started with when it was told as etcd is told.
 *
 * The members of an initial cluster are numbered by their names, so that all of them come to the
 * same numbers whatever the order of their flags. A directory that has run is that member again:
 * then the flags about the initial cluster do not count (etcd).
 */

import { createHash } from 'node:crypto';
import { LOG_LEVELS, type LogLevel } from '../../../include/log.ts';
import {
  type ClusterConfig,
  LOG_KEPT_BYTES_MAX,
  type NodeConfig,
  type Upkeep,
} from '../../../include/node.ts';
import { parseGoDuration } from '../../client/terminal/go-duration.ts';
import type { MemberPlace } from '../../node/node.ts';
import { parseBoolean } from '../flag-values.ts';
import { checkTimes } from '../server-flags.ts';
import { readAutoCompaction, readQuota } from '../upkeep-flags.ts';
import type { GivenFlags } from './go-flags.ts';
import { optionOf } from './options.ts';
import {
  formatUrl,
  type InitialMember,
  type Place,
  readInitialCluster,
  readListenUrls,
  readUrls,
  verifying,
} from './urls.ts';

/** Levels of etcd that kvorum has no lines for: nothing but errors is told. */
const FATAL_LEVELS = ['panic', 'fatal', 'dpanic'];

/** Least milliseconds between two notes of progress of a quiet watch (etcd). */
const PROGRESS_MS_MIN = 100;

/** What etcd's flags say. */
export type EtcdPlan = {
  readonly name: string;
  readonly dataDir: string;
  readonly listenPeers: Place;
  readonly listenClients: readonly Place[];
  /** Where the others reach this member, and clients do. */
  readonly peer: Place;
  readonly client: Place;
  /** Of the initial cluster. */
  readonly members: readonly InitialMember[];
  readonly token: string;
  /** Whether the cluster is there, and has this member. */
  readonly isExisting: boolean;
  readonly forcesNewCluster: boolean;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly logKept: { readonly entriesMax: number; readonly bytesMax: number };
  readonly watchProgressMs: number;
  readonly slowRequestMs: number;
  readonly upkeep: Upkeep;
  readonly logLevel: LogLevel;
  /** `stderr`, `stdout` or a file. */
  readonly logOutput: string;
  readonly warnings: readonly string[];
};

/** What of them says who the members of a new cluster are. */
export type InitialPlan = Pick<EtcdPlan, 'name' | 'peer' | 'members' | 'token'>;

/** Reads those flags. @param option the value of a flag, or its default */
export function readInitialPlan(option: (name: string) => string): InitialPlan {
  const name = option('name');
  const peers = readUrls('initial-advertise-peer-urls', option('initial-advertise-peer-urls'));
  const named = option('initial-cluster') || peers.map((url) => `${name}=${formatUrl(url)}`).join();
  return {
    name,
    peer: peers[0]!,
    members: readInitialCluster(named),
    token: option('initial-cluster-token'),
  };
}

/** Reads the flags. @throws CommandError with etcd's words */
export function readPlan(given: GivenFlags): EtcdPlan {
  const option = (name: string): string => optionOf(given, name);
  const name = option('name');
  const listenPeers = readListenUrls('listen-peer-urls', option('listen-peer-urls'));
  const listenClients = readListenUrls('listen-client-urls', option('listen-client-urls'));
  if (given.has('listen-client-urls') && !given.has('advertise-client-urls')) {
    const what = '--advertise-client-urls is required when --listen-client-urls is set explicitly';
    throw verifying(what);
  }
  const peers = readUrls('initial-advertise-peer-urls', option('initial-advertise-peer-urls'));
  const clients = readUrls('advertise-client-urls', option('advertise-client-urls'));
  const { heartbeatMs, electionMs } = readTimes(option);
  return {
    ...readInitialPlan(option),
    listenPeers: listenPeers[0]!,
    client: clients[0]!,
    listenClients,
    dataDir: option('data-dir') || `${name}.etcd`,
    isExisting: readState(option('initial-cluster-state')) === 'existing',
    forcesNewCluster: parseBoolean(option('force-new-cluster')),
    heartbeatMs,
    electionMs,
    logKept: { entriesMax: readEntries(option('snapshot-count')), bytesMax: LOG_KEPT_BYTES_MAX },
    watchProgressMs: readProgress(given),
    slowRequestMs: readNewest(given, 'warning-unary-request-duration').ms,
    upkeep: readUpkeep(given, option),
    logLevel: readLevel(option('log-level')),
    logOutput: readOutput(option('log-outputs')),
    warnings: placeWarnings(listenPeers, peers, clients),
  };
}

/** The cluster that the flags describe, and who of it this member is. @throws CommandError */
export function initialCluster(plan: InitialPlan): { cluster: ClusterConfig; self: NodeConfig } {
  const { name, token, peer } = plan;
  const own = plan.members.find((member) => member.name === name);
  if (own === undefined) {
    throw verifying(`couldn't find local name "${name}" in the initial cluster configuration`);
  }
  if (!own.places.some((place) => formatUrl(place) === formatUrl(peer))) {
    const has = `--initial-cluster has ${name}=${formatUrl(own.places[0]!)}`;
    const misses = `missing from --initial-advertise-peer-urls=${formatUrl(peer)}`;
    throw verifying(`${has} but ${misses}`);
  }
  const sorted = [...plan.members].sort((a, b) => (a.name < b.name ? -1 : 1));
  const nodes = sorted.map((member, id) => nodeOf(member, id));
  const hash = createHash('sha1').update(`etcd ${JSON.stringify(token)}\n`);
  for (const node of nodes) hash.update(`${node.name} ${node.address} ${node.port}\n`);
  const clusterId = hash.digest().readBigUInt64BE(0);
  const cluster = { path: '--initial-cluster', nodes, clusterId };
  return { cluster, self: nodes.find((node) => node.name === name)! };
}

/** Where the others of the initial cluster are: who wants to join asks them. */
export function otherPlaces({ members, name }: EtcdPlan): string[] {
  const others = members.filter((member) => member.name !== name);
  return others.flatMap(({ places }) => places.map((place) => formatUrl(place)));
}

/** A place as the node knows it. */
export function memberPlace({ host, port }: Place): MemberPlace {
  return { address: host, port };
}

function nodeOf({ name, places }: InitialMember, id: number): NodeConfig {
  const role = 'voter' as const;
  return { id, name, ...memberPlace(places[0]!), role, clientPort: undefined, line: id + 1 };
}

function readTimes(option: (name: string) => string): { heartbeatMs: number; electionMs: number } {
  const heartbeatMs = Number(option('heartbeat-interval'));
  const electionMs = Number(option('election-timeout'));
  if (heartbeatMs <= 0)
    throw verifying(`--heartbeat-interval must be >0 (set to ${heartbeatMs}ms)`);
  if (electionMs <= 0) throw verifying(`--election-timeout must be >0 (set to ${electionMs}ms)`);
  checkTimes(heartbeatMs, electionMs);
  return { heartbeatMs, electionMs };
}

function readState(state: string): string {
  if (state === 'new' || state === 'existing') return state;
  throw verifying(`--initial-cluster-state is "${state}": expected new or existing`);
}

function readUpkeep(given: GivenFlags, option: (name: string) => string): Upkeep {
  return {
    quotaBytes: readQuota('quota-backend-bytes', option('quota-backend-bytes')),
    autoCompaction: readAutoCompaction(
      option('auto-compaction-mode'),
      option('auto-compaction-retention'),
    ),
    corruptCheckMs: Math.max(0, readNewest(given, 'corrupt-check-time').ms),
  };
}

function readProgress(given: GivenFlags): number {
  const { name, text, ms } = readNewest(given, 'watch-progress-notify-interval');
  if (ms >= PROGRESS_MS_MIN) return ms;
  throw verifying(`--${name} must be at least ${PROGRESS_MS_MIN}ms (set to ${text})`);
}

/** Reads a duration that etcd has under two names: the newer one wins. */
function readNewest(given: GivenFlags, newer: string): { name: string; text: string; ms: number } {
  const name = given.has(newer) ? newer : `experimental-${newer}`;
  const text = optionOf(given, name);
  return { name, text, ms: parseGoDuration(text) };
}

function readEntries(text: string): number {
  const count = Number(text);
  if (count > 0) return count;
  throw verifying(`--snapshot-count must be >0 (set to ${text})`);
}

function readLevel(text: string): LogLevel {
  if (FATAL_LEVELS.includes(text)) return 'error';
  const level = LOG_LEVELS.find((each) => each === text);
  if (level !== undefined) return level;
  const levels = [...LOG_LEVELS, ...FATAL_LEVELS].join(', ');
  throw verifying(`--log-level "${text}": expected one of ${levels}`);
}

function readOutput(text: string): string {
  const [first = 'default', second] = text.split(',');
  if (second !== undefined) throw verifying(`--log-outputs "${text}": give one output`);
  return first === 'default' || first === '' ? 'stderr' : first;
}

/** A member of kvorum has one place: what etcd could do with several is said. */
function placeWarnings(
  listenPeers: readonly Place[],
  peers: readonly Place[],
  clients: readonly Place[],
): string[] {
  const warnings: string[] = [];
  for (const [flag, places] of [
    ['listen-peer-urls', listenPeers],
    ['initial-advertise-peer-urls', peers],
    ['advertise-client-urls', clients],
  ] as const) {
    if (places.length > 1) {
      warnings.push(`--${flag}: only the first URL is used, ${formatUrl(places[0]!)}`);
    }
  }
  const [peer, client] = [peers[0]!, clients[0]!];
  if (peer.host !== client.host) {
    const told = formatUrl({ host: peer.host, port: client.port });
    warnings.push(`--advertise-client-urls: members are told ${told}, with the host of the peers`);
  }
  return warnings;
}
