#!/usr/bin/env node
/**
 * The program: a command line in, an exit code out. The same file is the body of the worker threads
 * that `kvorum dev` starts, from sources and in the binary alike.
 */

import { isMainThread, Worker, workerData } from 'node:worker_threads';
import type { NodeWorkerData } from './commands/command-context.ts';
import { runProcess } from './commands/process.ts';

async function runWorker(data: NodeWorkerData): Promise<void> {
  const { runNodeWorker } = await import('./commands/run-dev.ts');
  await runNodeWorker(data);
}

const startWorker = (data: NodeWorkerData): Worker =>
  new Worker(import.meta.filename, { workerData: data });

void (isMainThread ? runProcess(startWorker) : runWorker(workerData));
