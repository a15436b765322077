/**
 * A cluster in one process: each node a worker thread with its own event loop, directory and port,
 * as separate processes would have. A node that ends is reported; the others go on without it.
 */

import { join } from 'node:path';
import { parentPort, type Worker } from 'node:worker_threads';
import type { NodeId } from '../../include/node.ts';
import {
  type CommandContext,
  type NodeWorkerData,
  type StartWorker,
  StopMessage,
} from './command-context.ts';
import { CommandError, ExitCode } from './command-error.ts';
import { openGateway, openNode } from './run-server.ts';
import { readServerSettings } from './server-flags.ts';
import { createServerLog } from './server-log.ts';

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
  const workers: Worker[] = [];
  const ended: Promise<number>[] = [];
  for (const { id } of settings.cluster.nodes) {
    const data: NodeWorkerData = { kind: 'node', id, argv: plainFlags(argv) };
    const worker = startWorker(data);
    workers.push(worker);
    ended.push(endOf(worker, id, terminal.writeError));
  }
  const stop = (): void => {
    for (const worker of workers) worker.postMessage(StopMessage);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  const codes = await Promise.all(ended);
  if (codes.every((code) => code !== 0)) throw new CommandError(ExitCode.Error, 'no node runs');
}

/** The body of a worker: one node, until the parent says stop. */
export async function runNodeWorker(data: NodeWorkerData, startWorker: StartWorker): Promise<void> {
  const settings = readServerSettings(data.argv, process.env);
  const log = createServerLog(data.id, settings.logLevel);
  const dataDir = join(settings.dataDir, `node-${data.id}`);
  const node = await openNode(data.id, dataDir, settings, log);
  const gateway = await openGateway(data.id, settings, startWorker, log);
  await new Promise<void>((resolve) => {
    parentPort?.once('message', () => resolve());
  });
  await gateway?.stop();
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
