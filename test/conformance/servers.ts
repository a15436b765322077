/** kvorum with its gateway, and a real etcd, for clients of etcd to talk to. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type ProcessCluster, startCluster } from '../cluster/processes.ts';
import { freePorts } from '../free-ports.ts';

/** A kvorum cluster and its client ports. */
export type GatewayCluster = {
  readonly cluster: ProcessCluster;
  /** `127.0.0.1:port` each. */
  readonly clientEndpoints: readonly string[];
};

/** Starts kvorum nodes with gateways; they end with the test. */
export async function startGateways(
  t: Test,
  size = 1,
  flags: readonly string[] = [],
): Promise<GatewayCluster> {
  const ports = await freePorts(size);
  const attributes = Object.fromEntries(ports.map((port, id) => [id, `client=${port}`]));
  const cluster = await startCluster(t, { size, attributes, flags });
  await Promise.all(
    cluster.nodes.map((node) => node?.waitFor((line) => line.event === 'gateway started')),
  );
  await cluster.leader();
  return { cluster, clientEndpoints: ports.map((port) => `127.0.0.1:${port}`) };
}

/** Starts a real etcd, which ends with the test; returns its endpoint. */
export async function startEtcd(t: Test, flags: readonly string[] = []): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'kvorum-etcd-'));
  const [port = 0, peerPort = 0] = await freePorts(2);
  const client = `http://127.0.0.1:${port}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const child: ChildProcess = spawn(
    'etcd',
    [
      ...['--data-dir', directory, '--logger', 'zap', '--log-level', 'error'],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--initial-cluster', `default=${peer}`, ...flags],
    ],
    { stdio: 'ignore' },
  );
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(directory, { recursive: true, force: true });
  });
  for (;;) {
    const health = await fetch(`${client}/health`).catch(() => undefined);
    if (health?.ok === true) return `127.0.0.1:${port}`;
    if (child.exitCode !== null) throw new Error('etcd ended');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Whether a program is on the PATH. */
export function isThere(program: string): boolean {
  return spawnSync(program, ['version']).error === undefined;
}
