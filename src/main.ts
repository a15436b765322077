#!/usr/bin/env node
/**
 * The program: a command line in, an exit code out. The same file is the body of the worker threads
 * that servers start, from sources and in the binary alike.
 */

import { isMainThread, Worker, workerData } from 'node:worker_threads';
import type { WorkerData } from './commands/command-context.ts';
import { runProcess } from './commands/process.ts';

async function runWorker(data: WorkerData): Promise<void> {
  if (data.kind === 'gateway') {
    const { runGatewayWorker } = await import('./commands/run-gateway.ts');
    await runGatewayWorker(data);
  } else {
    const { runNodeWorker } = await import('./commands/run-dev.ts');
    await runNodeWorker(data);
  }
}

const startWorker = (data: WorkerData): Worker =>
  new Worker(import.meta.filename, { workerData: data });

void (isMainThread ? runProcess(startWorker) : runWorker(workerData));
