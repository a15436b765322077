/**
 * The gateway of a node: a worker thread, so that what its clients send can never delay a
 * heartbeat.
 *
 * One that ends by a fault is reported and started again: the node goes on without it meanwhile.
 */

import { parentPort, type Worker } from 'node:worker_threads';
import type { Log, LogEvent, LogFields } from '../../include/log.ts';
import { createSystemClock } from '../clock.ts';
import { type Gateway, startGateway } from '../gateway/gateway.ts';
import { createRandom, drawSeed } from '../random.ts';
import { type GatewayWorkerData, type StartWorker, StopMessage } from './command-context.ts';
import { CommandError, ExitCode } from './command-error.ts';
import { tuneHeap } from './heap.ts';

/** Milliseconds until a gateway that has ended is started again; doubled each time in a row. */
const RESTART_MIN_MS = 100;
const RESTART_MAX_MS = 10_000;

/** What the thread says. */
type ThreadMessage =
  | { readonly kind: 'started' }
  | {
      readonly kind: 'event';
      readonly level: keyof Log;
      readonly event: string;
      readonly fields: LogFields;
    };

/** A gateway's thread. */
export type GatewayThread = {
  /** Closes its connections in order; resolves when the thread has ended. */
  readonly stop: () => Promise<void>;
};

/** What a gateway is started for. */
export type GatewaySettings = Omit<GatewayWorkerData, 'kind'>;

/**
 * Starts the gateway of a node. Resolves when it serves.
 *
 * @throws CommandError when its port cannot be opened
 */
export async function startGatewayThread(
  startWorker: StartWorker,
  settings: GatewaySettings,
  log: Log,
): Promise<GatewayThread> {
  const keeper = new Keeper(startWorker, settings, log);
  await keeper.start();
  return keeper;
}

/** Keeps a gateway's thread running. */
class Keeper implements GatewayThread {
  readonly #startWorker: StartWorker;
  readonly #data: GatewayWorkerData;
  readonly #log: Log;
  #worker: Worker | undefined = undefined;
  #ended: Promise<number> = Promise.resolve(0);
  #isStopping = false;
  #pauseMs = RESTART_MIN_MS;

  constructor(startWorker: StartWorker, settings: GatewaySettings, log: Log) {
    this.#startWorker = startWorker;
    this.#data = { kind: 'gateway', ...settings };
    this.#log = log;
  }

  async start(): Promise<void> {
    const worker = this.#startWorker(this.#data);
    this.#worker = worker;
    let why = '';
    worker.on('error', (cause) => {
      why = cause.message;
    });
    this.#ended = new Promise((resolve) => worker.once('exit', resolve));
    const started = new Promise<true>((resolve) => {
      worker.on('message', (message: ThreadMessage) => {
        if (message.kind === 'started') resolve(true);
        else this.#log[message.level](message.event, message.fields);
      });
    });
    const isStarted = await Promise.race([started, this.#ended]);
    if (isStarted !== true) throw new CommandError(ExitCode.Error, why);
    this.#pauseMs = RESTART_MIN_MS;
    void this.#ended.then(() => this.#restart(why));
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#worker?.postMessage(StopMessage);
    await this.#ended;
  }

  async #restart(why: string): Promise<void> {
    if (this.#isStopping) return;
    this.#log.error('gateway failed', { reason: why, againMs: this.#pauseMs });
    await new Promise((resolve) => setTimeout(resolve, this.#pauseMs));
    this.#pauseMs = Math.min(this.#pauseMs * 2, RESTART_MAX_MS);
    if (this.#isStopping) return;
    await this.start().catch((cause: Error) => this.#restart(cause.message));
  }
}

/** The body of the thread: one gateway, until the parent says stop. */
export async function runGatewayWorker(data: GatewayWorkerData): Promise<void> {
  const { kind: _, id: nodeId, ...settings } = data;
  const clock = createSystemClock();
  tuneHeap(clock);
  const log = createThreadLog();
  const random = createRandom(drawSeed());
  const gateway: Gateway = await startGateway({ ...settings, nodeId, clock, random, log });
  say({ kind: 'started' });
  await new Promise<void>((resolve) => parentPort?.once('message', () => resolve()));
  await gateway.stop();
}

/** A log whose lines its node's log writes. */
function createThreadLog(): Log {
  const tell =
    (level: keyof Log): LogEvent =>
    (event, fields = {}) =>
      say({ kind: 'event', level, event, fields });
  return { debug: tell('debug'), info: tell('info'), warn: tell('warn'), error: tell('error') };
}

function say(message: ThreadMessage): void {
  parentPort?.postMessage(message);
}
