/**
 * Smoke test of the packaged binary: what a stranger does in the first minute after downloading it,
 * in an empty environment and an empty directory. Each step prints a line; the last line counts.
 *
 *   node scripts/smoke.ts [target/kvorum]
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const NODE_COUNT = 3;
const VERSION_MS_MAX = 1_000;
const COMMAND_MS_MAX = 10_000;
const READY_MS_MAX = 30_000;
const STOP_MS_MAX = 10_000;

const binary = resolve(process.argv[2] ?? 'target/kvorum');
const directory = mkdtempSync(join(tmpdir(), 'kvorum-smoke-'));
let passed = 0;
let failed = 0;

interface Outcome {
  readonly code: number | null;
  readonly text: string;
}

await main();

async function main(): Promise<void> {
  const ports = await freePorts(2 * NODE_COUNT + 2);
  const endpoints = ports.slice(0, NODE_COUNT).map((port) => `127.0.0.1:${port}`);
  const conf = join(directory, 'nodes.conf');
  writeFileSync(conf, nodesConf(ports));

  await step('version answers at once in an empty environment', versionAnswers);
  await step("a node starts by etcd's flags and answers its clients", () => {
    return startsAsEtcd(ports.slice(2 * NODE_COUNT));
  });
  const cluster = startCluster(conf);
  try {
    await step('dev starts a cluster that answers status', () => untilReady(cluster, endpoints));
    for (const endpoint of endpoints) {
      await step(`put through ${endpoint}`, () => expect(endpoint, ['put', 'a', '10'], 'OK\n'));
    }
    for (const endpoint of endpoints) {
      await step(`get through ${endpoint}`, () => expect(endpoint, ['get', 'a'], 'a\n10\n'));
    }
    await step('SIGTERM stops it with exit code 0', () => stops(cluster.child));
  } finally {
    cluster.child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
  if (failed > 0) process.stdout.write(`--- output of kvorum dev\n${cluster.output.join('')}---\n`);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}

async function step(name: string, run: () => void | Promise<void>): Promise<void> {
  try {
    await run();
    passed += 1;
    process.stdout.write(`ok - ${name}\n`);
  } catch (error) {
    failed += 1;
    process.stdout.write(`not ok - ${name}\n  ${error instanceof Error ? error.message : error}\n`);
  }
}

function versionAnswers(): void {
  const start = performance.now();
  const { code, text } = kvorum(['version']);
  const elapsedMs = Math.round(performance.now() - start);
  if (code !== 0) throw new Error(`exit code ${code}: ${text}`);
  if (!/\d+\.\d+\.\d+/.test(text)) throw new Error(`no version in: ${text}`);
  if (elapsedMs > VERSION_MS_MAX) throw new Error(`took ${elapsedMs} ms`);
}

/** Runs one command; the environment is empty, as is the working directory save for nodes.conf. */
function kvorum(args: readonly string[]): Outcome {
  const { error, status, stdout, stderr } = spawnSync(binary, args, {
    cwd: directory,
    env: {},
    encoding: 'utf8',
    timeout: COMMAND_MS_MAX,
  });
  if (error !== undefined) return { code: status, text: error.message };
  return { code: status, text: status === 0 ? stdout : `${stdout}${stderr}` };
}

function expect(endpoint: string, args: readonly string[], wanted: string): void {
  const { code, text } = kvorum(['--endpoints', endpoint, ...args]);
  if (code !== 0) throw new Error(`exit code ${code}: ${text}`);
  if (text !== wanted) throw new Error(`printed ${JSON.stringify(text)}`);
}

interface Cluster {
  readonly child: ChildProcess;
  readonly output: string[];
}

function startCluster(conf: string): Cluster {
  const args = ['dev', '--conf', conf, '--data-dir', join(directory, 'data')];
  const child = spawn(binary, args, {
    cwd: directory,
    env: {},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  child.on('error', (error) => output.push(`${error.message}\n`));
  child.stdout.on('data', (chunk: Buffer) => output.push(String(chunk)));
  child.stderr.on('data', (chunk: Buffer) => output.push(String(chunk)));
  return { child, output };
}

async function untilReady(cluster: Cluster, endpoints: readonly string[]): Promise<void> {
  const deadlineMs = performance.now() + READY_MS_MAX;
  for (;;) {
    const outcomes = endpoints.map((endpoint) => kvorum(['--endpoints', endpoint, 'status']));
    const broken = outcomes.find(({ code }) => code !== 0);
    if (broken === undefined) return;
    if (cluster.child.exitCode !== null) throw new Error('kvorum dev has exited');
    if (performance.now() > deadlineMs) throw new Error(`status still fails: ${broken.text}`);
    await sleep(100);
  }
}

async function stops(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) throw new Error(`exited before, with code ${child.exitCode}`);
  const exit = once(child, 'exit', { signal: AbortSignal.timeout(STOP_MS_MAX) });
  child.kill('SIGTERM');
  const [code, signal] = await exit;
  if (code !== 0) throw new Error(`exit code ${code}, signal ${signal}`);
}

/** The gateway is a thread of its own, and the file of flags is read by a package. */
async function startsAsEtcd(ports: readonly number[]): Promise<void> {
  const [client, peer] = ports.map((port) => `http://127.0.0.1:${port}`);
  const flags = {
    ...{ 'data-dir': join(directory, 'etcd'), 'listen-client-urls': client },
    ...{ 'advertise-client-urls': client, 'listen-peer-urls': peer },
    'initial-advertise-peer-urls': peer,
  };
  const lines = Object.entries(flags).map(([name, value]) => `${name}: ${value}\n`);
  const path = join(directory, 'etcd.yaml');
  writeFileSync(path, lines.join(''));
  const args = ['etcd', '--config-file', path];
  const child = spawn(binary, args, { cwd: directory, env: {}, stdio: 'ignore' });
  try {
    const deadlineMs = performance.now() + READY_MS_MAX;
    const body = '{"key":"YQ==","value":"MTA="}';
    for (;;) {
      const put = fetch(`${client}/v3/kv/put`, { method: 'POST', body }).catch(() => undefined);
      if ((await put)?.ok === true) break;
      if (child.exitCode !== null) throw new Error('kvorum etcd has exited');
      if (performance.now() > deadlineMs) throw new Error('a put still fails');
      await sleep(100);
    }
    await stops(child);
  } finally {
    child.kill('SIGKILL');
  }
}

function nodesConf(ports: readonly number[]): string {
  const line = (_: unknown, id: number): string =>
    `${id} 127.0.0.1 ${ports[id]} client=${ports[NODE_COUNT + id]}\n`;
  return Array.from({ length: NODE_COUNT }, line).join('');
}

/** Ports that were free a moment ago, all different: they are held together, then let go. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return address.port;
  });
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
