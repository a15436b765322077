/**
 * A cluster in one process: each node a worker thread with its own event loop, directory and port,
 * as separate processes would have. A node that ends is reported; the others go on without it.
 */

import { join } from 'node:path';
import { parentPort, type Worker } from 'node:worker_threads';
import type { NodeId } from '../../include/node.ts';
import { nodeOf } from '../node/nodes-conf.ts';
import {
  type CommandContext,
  type NodeWorkerData,
  StartedMessage,
  type StartWorker,
  StopMessage,
} from './command-context.ts';
import { CommandError, ExitCode } from './command-error.ts';
import { gatewayOf, openGateway, openNode } from './run-server.ts';
import { readServerSettings, type ServerSettings } from './server-flags.ts';
import { createServerLog } from './server-log.ts';
import type { Terminal } from './terminal.ts';

/** Runs all nodes until a signal stops them, or all have ended. */
export async function runDev(
  argv: Readonly<Record<string, unknown>>,
  context: CommandContext,
): Promise<void> {
  const { startWorker, terminal } = context;
  if (startWorker === undefined) {
    throw new CommandError(ExitCode.Error, 'dev runs from the command line only');
  }
  const settings = readServerSettings(argv, terminal.environment);
  const members = settings.cluster.nodes.map(({ id }) =>
    startMember({ kind: 'node', id, argv: plainFlags(argv) }, settings, startWorker, terminal),
  );
  const stop = (): void => {
    for (const member of members) member.stop();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  const codes = await Promise.all(members.map(({ ended }) => ended));
  if (codes.every((code) => code !== 0)) throw new CommandError(ExitCode.Error, 'no node runs');
}

/** A node's thread, and its gateway's once the node has started. */
type DevMember = {
  readonly stop: () => void;
  /** Resolves with the exit code when both have ended. */
  readonly ended: Promise<number>;
};

/** Starts both from the main thread: in the packaged binary no other thread can start one. */
function startMember(
  data: NodeWorkerData,
  settings: ServerSettings,
  startWorker: StartWorker,
  { writeError }: Terminal,
): DevMember {
  const { id } = data;
  const worker = startWorker(data);
  const stop = (): void => worker.postMessage(StopMessage);
  const hasStarted = new Promise<boolean>((resolve) => {
    worker.once('message', () => resolve(true));
    worker.once('exit', () => resolve(false));
  });
  const opened = hasStarted.then((isRunning) => {
    const log = createServerLog(id, settings.logLevel);
    const gateway = gatewayOf(nodeOf(settings.cluster, id), settings);
    return isRunning ? openGateway(gateway, startWorker, log) : undefined;
  });
  let gatewayCode: number = ExitCode.Success;
  const gateway = opened.catch((cause: Error) => {
    writeError(`Error: node ${id}: ${cause.message}\n`);
    gatewayCode = ExitCode.Error;
    stop();
    return undefined;
  });
  const ended = endOf(worker, id, writeError).then(async (code) => {
    await (await gateway)?.stop();
    return code === 0 ? gatewayCode : code;
  });
  return { stop, ended };
}

/** The body of a worker: one node, until the parent says stop. It says when it has started. */
export async function runNodeWorker(data: NodeWorkerData): Promise<void> {
  const settings = readServerSettings(data.argv, process.env);
  const log = createServerLog(data.id, settings.logLevel);
  const dataDir = join(settings.dataDir, `node-${data.id}`);
  const node = await openNode(data.id, { ...settings, dataDir }, log);
  const stopped = new Promise<void>((resolve) => {
    parentPort?.once('message', () => resolve());
  });
  parentPort?.postMessage(StartedMessage);
  await stopped;
  // All nodes stop together: there is nobody to hand leadership to.
  await node.stop({ handsOver: false });
}

function endOf(worker: Worker, id: NodeId, writeError: (text: string) => void): Promise<number> {
  return new Promise((resolve) => {
    worker.on('error', (cause) => writeError(`Error: node ${id}: ${cause.message}\n`));
    worker.on('exit', (code) => {
      if (code !== 0) writeError(`node ${id} has ended (exit code ${code}); the others go on\n`);
      resolve(code);
    });
  });
}

/** What a worker can be given: flags are strings and booleans. */
function plainFlags(argv: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const isPlain = (value: unknown): boolean => typeof value === 'string' || value === true;
  return Object.fromEntries(Object.entries(argv).filter(([, value]) => isPlain(value)));
}
