/**
 * One node in the foreground: SIGTERM and SIGINT stop it in order, SIGHUP reopens its log file, a
 * fault ends the process.
 *
 * Exit codes: 0 after an orderly stop, 1 when the node could not start or cannot go on.
 */

import type { Log } from '../../include/log.ts';
import type { NodeId } from '../../include/node.ts';
import { createSystemClock } from '../clock.ts';
import { type Node, startNode } from '../node/node.ts';
import { nodeOf } from '../node/nodes-conf.ts';
import type { CommandContext, StartWorker } from './command-context.ts';
import { CommandError, ExitCode } from './command-error.ts';
import { LogFile } from './log-file.ts';
import type { GatewayThread } from './run-gateway.ts';
import { readNodeId, readServerSettings, type ServerSettings, serverFlag } from './server-flags.ts';
import { createServerLog } from './server-log.ts';
import { findServiceManager } from './service-manager.ts';
import { VERSION } from './version.ts';
import { boundYoungGeneration } from './young-generation.ts';

/** Runs a node until a signal stops it. Resolves when it has stopped. */
export async function serve(
  argv: Readonly<Record<string, unknown>>,
  { terminal: { environment }, startWorker }: CommandContext,
): Promise<void> {
  const settings = readServerSettings(argv, environment);
  const id = readNodeId(serverFlag('id', argv, environment));
  const logPath = serverFlag('log-file', argv, environment);
  const logFile = logPath === undefined ? undefined : new LogFile(logPath);
  const log = createServerLog(id, settings.logLevel, logFile);
  process.on('uncaughtException', (cause) => endProcess(log, cause));
  // A terminal that is closed ends what runs in it, by the same signal.
  if (!process.stdout.isTTY) process.on('SIGHUP', () => logFile?.reopen(log));
  const manager = findServiceManager(environment, createSystemClock(), log);
  const node = await openNode(id, settings.dataDir, settings, log);
  const gateway = await openGateway(id, settings, startWorker, log);
  manager?.ready();
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  manager?.stopping();
  await gateway?.stop();
  await node.stop();
}

/** Starts the gateway that nodes.conf gives a node, if it does. @throws CommandError */
export async function openGateway(
  id: NodeId,
  { cluster }: ServerSettings,
  startWorker: StartWorker | undefined,
  log: Log,
): Promise<GatewayThread | undefined> {
  const { clientPort: port } = nodeOf(cluster, id);
  if (port === undefined || startWorker === undefined) return undefined;
  const { startGatewayThread } = await import('./run-gateway.ts');
  return startGatewayThread(startWorker, { id, cluster, port }, log);
}

/**
 * Starts a node of this thread. When it cannot go on the process (in a worker: the thread) ends.
 *
 * @throws CommandError with what was wrong and what to do
 */
export async function openNode(
  id: NodeId,
  dataDir: string,
  settings: ServerSettings,
  log: Log,
): Promise<Node> {
  const { cluster, heartbeatMs, electionMs, logKept } = settings;
  const clock = createSystemClock();
  boundYoungGeneration(clock);
  const onFatal = (cause: unknown): void => endProcess(log, cause);
  const options = { id, cluster, dataDir, version: VERSION, clock, log, onFatal };
  try {
    return await startNode({ ...options, heartbeatMs, electionMs, logKept });
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(ExitCode.Error, text);
  }
}

function endProcess(log: Log, cause: unknown): void {
  const isError = cause instanceof Error;
  log.error('node failed', {
    reason: isError ? cause.message : String(cause),
    stack: isError ? cause.stack : undefined,
  });
  process.exit(ExitCode.Error);
}
