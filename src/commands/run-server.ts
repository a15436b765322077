/**
 * One node in the foreground: SIGTERM and SIGINT stop it in order, a fault ends the process.
 *
 * Exit codes: 0 after an orderly stop, 1 when the node could not start or cannot go on.
 */

import type { Log } from '../../include/log.ts';
import type { NodeId } from '../../include/node.ts';
import { createSystemClock } from '../clock.ts';
import { type Node, startNode } from '../node/node.ts';
import { CommandError, ExitCode } from './command-error.ts';
import { readNodeId, readServerSettings, type ServerSettings, serverFlag } from './server-flags.ts';
import { createServerLog } from './server-log.ts';
import { VERSION } from './version.ts';
import { boundYoungGeneration } from './young-generation.ts';

/** Runs a node until a signal stops it. Resolves when it has stopped. */
export async function serve(
  argv: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const settings = readServerSettings(argv, environment);
  const id = readNodeId(serverFlag('id', argv, environment));
  const log = createServerLog(id, settings.logLevel);
  process.on('uncaughtException', (cause) => endProcess(log, cause));
  const node = await openNode(id, settings.dataDir, settings, log);
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  await node.stop();
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
