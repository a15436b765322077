/** A real etcd as a process. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { freePorts } from '../free-ports.ts';
import { JsonSubject } from './json-subject.ts';

/** Whether an etcd is on the PATH. */
export function isEtcdThere(): boolean {
  return spawnSync('etcd', ['--version']).status === 0;
}

/** One etcd of its own, empty. */
export class RealEtcd {
  readonly #process: ChildProcess;
  /** Where its clients find it. */
  readonly port: number;

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
    const probe = new JsonSubject(port);
    for (;;) {
      try {
        await probe.ask({ get: 'a' });
        probe.close();
        return etcd;
      } catch (error) {
        if (child.exitCode !== null) throw new Error('etcd ended', { cause: error });
        await pause(20);
      }
    }
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGKILL');
    if (this.#process.exitCode === null) await once(this.#process, 'exit');
  }
}
