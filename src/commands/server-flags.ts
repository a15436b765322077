/**
 * The flags of a server, and the environment behind them: `--data-dir` is also KVORUM_DATA_DIR. A
 * flag wins over the environment. Whatever is wrong ends the command with a line that says what to
 * give.
 */

import { readFileSync } from 'node:fs';
import { LOG_LEVELS, type LogLevel } from '../../include/log.ts';
import {
  type ClusterConfig,
  ELECTION_MS,
  HEARTBEAT_MS,
  LOG_KEPT_BYTES_MAX,
  LOG_KEPT_ENTRIES_MAX,
  NODE_ID_MAX,
  type NodeId,
  SLOW_REQUEST_MS,
  TICK_MS,
  type Upkeep,
} from '../../include/node.ts';
import { parseGoDuration } from '../client/terminal/go-duration.ts';
import type { LogKept } from '../node/log-trim.ts';
import { parseNodesConf } from '../node/nodes-conf.ts';
import type { ConnectionsMax } from '../rpc/connection-quota.ts';
import { CommandError, ExitCode } from './command-error.ts';
import {
  CONNECTION_FLAGS,
  readClientPortConnections,
  readConnections,
} from './connection-flags.ts';
import { environmentName, type Flags } from './settings.ts';
import { readAutoCompaction, readCheckTime, readQuota, UPKEEP_FLAGS } from './upkeep-flags.ts';

/** Longest election timeout, in milliseconds (etcd's). */
const ELECTION_MS_MAX = 50_000;

/** An election must outlast this many lost heartbeats (etcd's rule). */
const HEARTBEATS_PER_ELECTION_MIN = 5;

/** Flags that serve and dev share. Values are read by `readServerSettings`. */
export const SERVER_FLAGS = {
  conf: {
    type: 'string',
    requiresArg: true,
    describe: 'the members: one "id address port" a line',
    defaultDescription: 'nodes.conf',
  },
  'data-dir': {
    type: 'string',
    requiresArg: true,
    describe: 'where log and store are kept',
    defaultDescription: 'data',
  },
  'log-level': {
    type: 'string',
    requiresArg: true,
    describe: LOG_LEVELS.join(', '),
    defaultDescription: 'info',
  },
  'heartbeat-interval': {
    type: 'string',
    requiresArg: true,
    describe: "milliseconds between a leader's heartbeats",
    defaultDescription: String(HEARTBEAT_MS),
  },
  'election-timeout': {
    type: 'string',
    requiresArg: true,
    describe: 'milliseconds without a leader before an election',
    defaultDescription: String(ELECTION_MS),
  },
  'log-entries-kept': {
    type: 'string',
    requiresArg: true,
    describe: 'log entries kept for followers that lag; beyond, they get a snapshot',
    defaultDescription: String(LOG_KEPT_ENTRIES_MAX),
  },
  'warning-unary-request-duration': {
    type: 'string',
    requiresArg: true,
    describe: 'from which time on a request is logged with its parts',
    defaultDescription: `${SLOW_REQUEST_MS}ms`,
  },
  ...UPKEEP_FLAGS,
  ...CONNECTION_FLAGS,
} as const satisfies Flags;

/** What a server is started with. */
export type ServerSettings = {
  readonly confPath: string;
  readonly cluster: ClusterConfig;
  readonly dataDir: string;
  readonly logLevel: LogLevel;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly logKept: LogKept;
  /** Milliseconds from which on a request is logged with its parts. */
  readonly slowRequestMs: number;
  readonly upkeep: Upkeep;
  /** Of native clients. */
  readonly connectionsMax: ConnectionsMax;
  /** Of the etcd-compatible port. */
  readonly clientPortConnectionsMax: ConnectionsMax;
};

/** Reads a flag or the variable behind it; undefined when neither is given. */
export type FlagReader = (name: string) => string | undefined;

/** Makes the way to read flags. */
export function flagReader(
  argv: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): FlagReader {
  return (name) => serverFlag(name, argv, environment);
}

/** Reads a flag or the variable behind it; undefined when neither is given. */
export function serverFlag(
  name: string,
  argv: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const flag = argv[name];
  const value = typeof flag === 'string' ? flag : environment[environmentName(name)];
  return value === '' ? undefined : value;
}

/**
 * Reads the flags of a server, and the nodes.conf they name.
 *
 * @param cluster what the node was told about its cluster otherwise: nodes.conf is not read then
 * @throws CommandError, NodeFault: what is wrong and what is expected
 */
export function readServerSettings(
  argv: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
  cluster?: ClusterConfig,
): ServerSettings {
  const text = flagReader(argv, environment);
  const confPath = text('conf') ?? 'nodes.conf';
  const heartbeatMs = readMs('heartbeat-interval', text('heartbeat-interval'), HEARTBEAT_MS);
  const electionMs = readMs('election-timeout', text('election-timeout'), ELECTION_MS);
  checkTimes(heartbeatMs, electionMs);
  const entriesMax = readCount('log-entries-kept', text('log-entries-kept'), LOG_KEPT_ENTRIES_MAX);
  return {
    confPath,
    cluster: cluster ?? parseNodesConf(confPath, readConf(confPath)),
    dataDir: readDataDir(text),
    logLevel: readLogLevel(text('log-level') ?? 'info'),
    heartbeatMs,
    electionMs,
    logKept: { entriesMax, bytesMax: LOG_KEPT_BYTES_MAX },
    upkeep: readUpkeep(text),
    connectionsMax: readConnections(text),
    clientPortConnectionsMax: readClientPortConnections(text),
    slowRequestMs: readSlowRequest(text('warning-unary-request-duration')),
  };
}

function readUpkeep(text: FlagReader): Upkeep {
  const mode = text('auto-compaction-mode') ?? 'periodic';
  return {
    quotaBytes: readQuota('quota-bytes', text('quota-bytes') ?? '0'),
    autoCompaction: readAutoCompaction(mode, text('auto-compaction-retention') ?? '0'),
    corruptCheckMs: readCheckTime('corrupt-check-time', text('corrupt-check-time') ?? '0'),
  };
}

/** Whether a switch is on, by its flag or its variable. */
export function readSwitch(
  argv: Readonly<Record<string, unknown>>,
  flag: FlagReader,
  name: string,
): boolean {
  return argv[name] === true || flag(name) === 'true';
}

/** Where log and store are kept. */
export function readDataDir(flag: FlagReader): string {
  return flag('data-dir') ?? 'data';
}

/** Reads a port; undefined when it is not given. @throws CommandError */
export function readPort(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw refusal(`--${name} "${text}": expected a port, a number from 1 to 65535`);
}

/** Reads a node id. @throws CommandError */
export function readNodeId(text: string | undefined): NodeId {
  if (text !== undefined && /^\d{1,10}$/.test(text) && Number(text) <= NODE_ID_MAX) {
    return Number(text);
  }
  const given = text === undefined ? 'is not given' : `"${text}" is not a node id`;
  throw refusal(`--id ${given}: expected the number of a node in nodes.conf`);
}

/** The text of a nodes.conf. @throws CommandError */
export function readConf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw refusal(`cannot read ${path} (${why}): give the cluster's nodes.conf with --conf`);
  }
}

function readMs(name: string, text: string | undefined, defaultMs: number): number {
  if (text === undefined) return defaultMs;
  if (/^\d{1,9}$/.test(text) && Number(text) >= TICK_MS) return Number(text);
  throw refusal(`--${name} "${text}": expected milliseconds, a whole number from ${TICK_MS}`);
}

function readCount(name: string, text: string | undefined, defaultCount: number): number {
  if (text === undefined) return defaultCount;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw refusal(`--${name} "${text}": expected a whole number`);
}

/** Refuses times that do not fit each other. @throws CommandError */
export function checkTimes(heartbeatMs: number, electionMs: number): void {
  if (electionMs < HEARTBEATS_PER_ELECTION_MIN * heartbeatMs) {
    const least = HEARTBEATS_PER_ELECTION_MIN * heartbeatMs;
    const why = `--election-timeout ${electionMs} is below 5 heartbeats of ${heartbeatMs} ms`;
    throw refusal(`${why}: give at least ${least}`);
  }
  if (electionMs > ELECTION_MS_MAX) {
    throw refusal(`--election-timeout ${electionMs}: give at most ${ELECTION_MS_MAX}`);
  }
}

function readSlowRequest(text: string | undefined): number {
  if (text === undefined) return SLOW_REQUEST_MS;
  try {
    return parseGoDuration(text);
  } catch {
    const name = '--warning-unary-request-duration';
    throw refusal(`${name} "${text}": expected a duration such as 300ms or 1s`);
  }
}

function readLogLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((each) => each === text);
  if (level !== undefined) return level;
  throw refusal(`--log-level "${text}": expected one of ${LOG_LEVELS.join(', ')}`);
}

function refusal(text: string): CommandError {
  return new CommandError(ExitCode.Error, text);
}
