/**
 * One node in the foreground: SIGTERM and SIGINT stop it in order, SIGHUP reopens its log file, a
 * fault ends the process.
 *
 * Exit codes: 0 after an orderly stop, 1 when the node could not start or cannot go on, 7 when it
 * was removed from its cluster: starting it again would not help.
 */

import type { Log } from '../../include/log.ts';
import { FaultKind, NodeFault, type NodeId } from '../../include/node.ts';
import { formatEndpoint } from '../client/endpoint.ts';
import { createSystemClock } from '../clock.ts';
import { type MemberPlace, type Node, startNode } from '../node/node.ts';
import { nodeOf } from '../node/nodes-conf.ts';
import type { CommandContext, StartWorker } from './command-context.ts';
import { CommandError, ExitCode } from './command-error.ts';
import { type Joined, joinCluster, nameMember, readJoinSettings } from './join.ts';
import { LogFile } from './log-file.ts';
import type { GatewayThread } from './run-gateway.ts';
import {
  flagReader,
  readDataDir,
  readNodeId,
  readServerSettings,
  type ServerSettings,
} from './server-flags.ts';
import { createServerLog } from './server-log.ts';
import { findServiceManager } from './service-manager.ts';
import { VERSION } from './version.ts';
import { boundYoungGeneration } from './young-generation.ts';

/** Runs a node until a signal stops it. Resolves when it has stopped. */
export async function serve(
  argv: Readonly<Record<string, unknown>>,
  { terminal: { environment }, startWorker }: CommandContext,
): Promise<void> {
  const flag = flagReader(argv, environment);
  const joining = readJoinSettings(argv, flag);
  const joined = joining === undefined ? undefined : await joinCluster(joining, readDataDir(flag));
  const settings = readServerSettings(argv, environment, joined?.cluster);
  const id = joined?.id ?? readNodeId(flag('id'));
  const logPath = flag('log-file');
  const logFile = logPath === undefined ? undefined : new LogFile(logPath);
  const log = createServerLog(id, settings.logLevel, logFile);
  process.on('uncaughtException', (cause) => endProcess(log, cause));
  // A terminal that is closed ends what runs in it, by the same signal.
  if (!process.stdout.isTTY) process.on('SIGHUP', () => logFile?.reopen(log));
  const manager = findServiceManager(environment, createSystemClock(), log);
  const node = await openNode(id, settings.dataDir, { ...settings, place: joining?.place }, log);
  const gateway = await openGateway(id, ofGateway(settings, joined), startWorker, log);
  manager?.ready();
  if (joined !== undefined && joining !== undefined) void nameMember(joined, joining, log);
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  manager?.stopping();
  await gateway?.stop();
  await node.stop();
}

/** The gateway of a node that joined knows no other member than that. */
function ofGateway(settings: ServerSettings, joined: Joined | undefined): ServerSettings {
  if (joined === undefined) return settings;
  return { ...settings, cluster: { ...settings.cluster, nodes: [joined.self] } };
}

/** Starts the gateway that nodes.conf gives a node, if it does. @throws CommandError */
export async function openGateway(
  id: NodeId,
  { cluster }: ServerSettings,
  startWorker: StartWorker | undefined,
  log: Log,
): Promise<GatewayThread | undefined> {
  const { address: host, port: nodePort, clientPort: port } = nodeOf(cluster, id);
  if (port === undefined || startWorker === undefined) return undefined;
  const endpoint = formatEndpoint(host, nodePort);
  const settings = { id, clusterId: cluster.clusterId, listens: [{ host, port }], endpoint };
  const { startGatewayThread } = await import('./run-gateway.ts');
  return startGatewayThread(startWorker, settings, log);
}

/**
 * Starts a node of this thread. When it cannot go on the process (in a worker: the thread) ends.
 *
 * @throws CommandError with what was wrong and what to do
 */
export async function openNode(
  id: NodeId,
  dataDir: string,
  settings: ServerSettings & { readonly place?: MemberPlace | undefined },
  log: Log,
): Promise<Node> {
  const { cluster, heartbeatMs, electionMs, logKept, place } = settings;
  const clock = createSystemClock();
  boundYoungGeneration(clock);
  const onFatal = (cause: unknown): void => endProcess(log, cause);
  const options = { id, cluster, dataDir, version: VERSION, clock, log, onFatal };
  const where = place === undefined ? {} : { place };
  try {
    return await startNode({ ...options, ...where, heartbeatMs, electionMs, logKept });
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
