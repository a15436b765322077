/**
 * One node in the foreground: SIGTERM and SIGINT stop it in order, SIGHUP reopens its log file, a
 * fault ends the process.
 *
 * Exit codes: 0 after an orderly stop, 1 when the node could not start or cannot go on, 7 when it
 * was removed from its cluster: starting it again would not help.
 */

import type { Log } from '../../include/log.ts';
import { FaultKind, type NodeConfig, NodeFault, type NodeId } from '../../include/node.ts';
import { formatEndpoint } from '../client/endpoint.ts';
import { createSystemClock } from '../clock.ts';
import { type MemberPlace, type Node, type NodeOptions, startNode } from '../node/node.ts';
import { nodeOf } from '../node/nodes-conf.ts';
import { restoredCluster } from '../node/restore.ts';
import type { CommandContext, StartWorker } from './command-context.ts';
import { CommandError, ExitCode } from './command-error.ts';
import { discoverCluster } from './discovery.ts';
import { tuneHeap } from './heap.ts';
import { joinCluster, nameMember, readJoinSettings, showProgress } from './join.ts';
import { LogFile } from './log-file.ts';
import type { GatewaySettings, GatewayThread } from './run-gateway.ts';
import {
  flagReader,
  readDataDir,
  readNodeId,
  readServerSettings,
  readSwitch,
  type ServerSettings,
} from './server-flags.ts';
import { createServerLog } from './server-log.ts';
import { findServiceManager } from './service-manager.ts';
import { VERSION } from './version.ts';

/** How a node runs, besides who it is. */
export type NodeSettings = Pick<
  NodeOptions,
  | 'cluster'
  | 'dataDir'
  | 'place'
  | 'listen'
  | 'watchProgressMs'
  | 'forcesNewCluster'
  | 'slowRequestMs'
  | 'connectionsMax'
> &
  Pick<ServerSettings, 'heartbeatMs' | 'electionMs' | 'logKept' | 'upkeep'>;

/** What one node in the foreground is started with. */
export type ServerStart = {
  readonly id: NodeId;
  readonly node: NodeSettings;
  readonly gateway: GatewaySettings | undefined;
  readonly log: Log;
  /** The file that the log goes to, if it does. */
  readonly logFile: LogFile | undefined;
  /** Called once node and gateway serve. @param stopped aborts when they are about to stop */
  readonly onServing: (stopped: AbortSignal) => void;
};

/** Runs a node until a signal stops it. Resolves when it has stopped. */
export async function serve(
  argv: Readonly<Record<string, unknown>>,
  context: CommandContext,
): Promise<void> {
  const { environment } = context.terminal;
  const flag = flagReader(argv, environment);
  const joining = readJoinSettings(argv, flag);
  const dataDir = readDataDir(flag);
  const joined =
    joining === undefined
      ? await discoverCluster(flag, dataDir)
      : await joinCluster(joining, dataDir);
  const read = readServerSettings(argv, environment, joined?.cluster);
  const settings = { ...read, cluster: restoredCluster(read.cluster, read.dataDir) };
  const id = joined?.id ?? readNodeId(flag('id'));
  const logPath = flag('log-file');
  const logFile = logPath === undefined ? undefined : new LogFile(logPath);
  const log = createServerLog(id, settings.logLevel, logFile);
  const forcesNewCluster = readSwitch(argv, flag, 'force-new-cluster');
  const place = joined === undefined ? {} : { place: placeOf(joined.self) };
  const start: ServerStart = {
    id,
    node: { ...settings, ...place, forcesNewCluster },
    // The gateway of a node that joined knows no other member than that.
    gateway: gatewayOf(joined?.self ?? nodeOf(settings.cluster, id), settings),
    log,
    logFile,
    onServing: (stopped) => {
      if (joined === undefined || joining === undefined) return;
      void nameMember(joined, joining, log, stopped);
      void showProgress(joined, joining, context.terminal, stopped);
    },
  };
  await runServer(start, context);
}

function placeOf({ address, port }: NodeConfig): MemberPlace {
  return { address, port };
}

/** Runs a node and its gateway until a signal stops them. Resolves when they have stopped. */
export async function runServer(
  { id, node: settings, gateway: gatewaySettings, log, logFile, onServing }: ServerStart,
  { terminal: { environment }, startWorker }: CommandContext,
): Promise<void> {
  process.on('uncaughtException', (cause) => endProcess(log, cause));
  // A terminal that is closed ends what runs in it, by the same signal.
  if (!process.stdout.isTTY) process.on('SIGHUP', () => logFile?.reopen(log));
  // Asked while the node starts, it stops in order too; asked again, it ends at once.
  const stopAsked = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  const manager = findServiceManager(environment, createSystemClock(), log);
  const node = await openNode(id, settings, log);
  const gateway = await openGateway(gatewaySettings, startWorker, log);
  manager?.ready();
  const stopping = new AbortController();
  onServing(stopping.signal);
  await stopAsked;
  manager?.stopping();
  stopping.abort();
  await gateway?.stop();
  await node.stop();
}

/** The gateway that nodes.conf gives a node; undefined if it gives none. */
export function gatewayOf(
  self: NodeConfig,
  settings: Pick<ServerSettings, 'cluster' | 'clientPortConnectionsMax'>,
): GatewaySettings | undefined {
  const { id, address: host, port: nodePort, clientPort: port } = self;
  if (port === undefined) return undefined;
  const { cluster, clientPortConnectionsMax: connectionsMax } = settings;
  const { clusterId } = cluster;
  const endpoint = formatEndpoint(host, nodePort);
  return { id, clusterId, listens: [{ host, port }], endpoint, connectionsMax };
}

/** Starts a gateway, if there is to be one. @throws CommandError */
export async function openGateway(
  settings: GatewaySettings | undefined,
  startWorker: StartWorker | undefined,
  log: Log,
): Promise<GatewayThread | undefined> {
  if (settings === undefined || startWorker === undefined) return undefined;
  const { startGatewayThread } = await import('./run-gateway.ts');
  return startGatewayThread(startWorker, settings, log);
}

/**
 * Starts a node of this thread. When it cannot go on the process (in a worker: the thread) ends.
 *
 * @throws CommandError with what was wrong and what to do
 */
export async function openNode(id: NodeId, settings: NodeSettings, log: Log): Promise<Node> {
  const clock = createSystemClock();
  tuneHeap(clock);
  const onFatal = (cause: unknown): void => endProcess(log, cause);
  try {
    return await startNode({ ...settings, id, version: VERSION, clock, log, onFatal });
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(isRemoval(cause) ? ExitCode.Removed : ExitCode.Error, text);
  }
}

function isRemoval(cause: unknown): cause is NodeFault {
  return cause instanceof NodeFault && cause.kind === FaultKind.MemberRemoved;
}

function endProcess(log: Log, cause: unknown): void {
  if (isRemoval(cause)) {
    log.error('node stopped for good', { reason: cause.message });
    process.exit(ExitCode.Removed);
  }
  const isError = cause instanceof Error;
  log.error('node failed', {
    reason: isError ? cause.message : String(cause),
    stack: isError ? cause.stack : undefined,
  });
  process.exit(ExitCode.Error);
}
