/** A real etcd as a subject, through its JSON gateway. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { freePorts } from '../bench/ports.ts';
import {
  answerOf,
  eventsOf,
  isJson,
  type Json,
  numberOf,
  refusalOf,
  requestOf,
  revisionOf,
  watchBody,
} from './etcd-json.ts';
import { EventLog } from './event-log.ts';
import type { Refusal, Subject, Watching } from './side.ts';
import type { Answer, Step, WatchStep } from './steps.ts';

/** gRPC's InvalidArgument: the watch's refusals come without a code. */
const INVALID_ARGUMENT = 3;
/** gRPC's OutOfRange, etcd's class of a compacted revision. */
const OUT_OF_RANGE = 11;

/** Whether an etcd is on the PATH. */
export function isEtcdThere(): boolean {
  return spawnSync('etcd', ['--version']).status === 0;
}

/** One etcd of its own, empty. */
export class RealEtcd implements Subject {
  readonly #process: ChildProcess;
  /** Where its clients find it. */
  readonly port: number;
  readonly #agent = new Agent({ keepAlive: true });

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  /** Starts an etcd in a directory and waits until it answers. */
  static async start(directory: string): Promise<RealEtcd> {
    const [port = 0, peerPort = 0] = await freePorts(2);
    const client = `http://127.0.0.1:${port}`;
    const peer = `http://127.0.0.1:${peerPort}`;
    const child = spawn(
      'etcd',
      [
        ...['--data-dir', directory, '--log-level', 'error'],
        ...['--listen-client-urls', client, '--advertise-client-urls', client],
        ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
        ...['--initial-cluster', `default=${peer}`],
      ],
      { stdio: 'ignore' },
    );
    const etcd = new RealEtcd(child, port);
    for (;;) {
      try {
        await etcd.ask({ get: 'a' });
        return etcd;
      } catch (error) {
        if (child.exitCode !== null) throw new Error('etcd ended', { cause: error });
        await pause(20);
      }
    }
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    this.#process.kill('SIGKILL');
    if (this.#process.exitCode === null) await once(this.#process, 'exit');
  }

  async ask(step: Step): Promise<Answer> {
    if ('restart' in step) return {};
    const [path, body] = requestOf(step);
    const reply = await this.#open(path, body);
    const chunks: Buffer[] = [];
    for await (const chunk of reply) chunks.push(chunk);
    const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString());
    if (!isJson(parsed)) throw new Error('etcd answered with something else than an object');
    return answerOf(step, parsed);
  }

  async watch(step: WatchStep): Promise<Watching | Refusal> {
    const stream = await this.#open('/v3/watch', watchBody(step));
    const log = new EventLog();
    const opening = Promise.withResolvers<Watching | Refusal>();
    stream.on('close', () => opening.reject(new Error('etcd closed the watch')));
    const lines = createInterface({ input: stream });
    lines.on('error', () => undefined); // the watch was ended here, or etcd was
    lines.on('line', (line) => {
      const parsed: unknown = JSON.parse(line);
      const message = isJson(parsed) && isJson(parsed.result) ? parsed.result : {};
      if (message.canceled === true && message.created === true) {
        opening.resolve(refusalOf(message.cancel_reason, INVALID_ARGUMENT));
        stream.destroy();
      } else if (message.created === true) {
        const from = step.startRevision ?? revisionOf(message) + 1;
        const until = (revision: number) => log.until(revision);
        opening.resolve({ from, until, close: () => stream.destroy() });
      } else if (message.canceled === true) {
        const compactRevision = numberOf(message.compact_revision);
        log.end({ code: OUT_OF_RANGE, compactRevision });
      } else {
        log.add(eventsOf(message));
      }
    });
    return opening.promise;
  }

  #open(path: string, body: Json): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const options = { port: this.port, host: '127.0.0.1', path, method: 'POST' };
      const call = httpRequest({ ...options, agent: this.#agent }, resolve);
      call.on('error', reject);
      call.end(JSON.stringify(body));
    });
  }
}
