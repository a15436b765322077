/** Clusters whose members find each other: by DNS, and in a registry. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { connect } from '../../src/client/connect.ts';
import { startOneNode } from '../commands/one-node.ts';
import { isThere, startEtcd, startGateways } from '../conformance/servers.ts';
import { freePorts } from '../free-ports.ts';
import { startDns } from './dns-server.ts';
import { NodeProcess, runCommand } from './processes.ts';

t.setTimeout(300_000);

const SIZE_KEY = '/_etcd/registry/abc/_config/size';

/** Nodes that are given nothing but a way to find each other. */
async function createNodes(t: Test, count: number) {
  const directory = await mkdtemp(join(tmpdir(), 'kvorum-discovery-'));
  const ports = await freePorts(count);
  const endpoints = ports.map((port) => `127.0.0.1:${port}`);
  const started: NodeProcess[] = [];
  t.teardown(async () => {
    for (const node of started) node.kill('SIGKILL');
    await Promise.all(started.map(({ ended }) => ended));
    await rm(directory, { recursive: true, force: true });
  });
  const flagsOf = (id: number, more: readonly string[]): string[] => {
    return ['serve', '--listen', endpoints[id]!, '--data-dir', `node-${id}`, ...more];
  };
  return {
    ports,
    endpoints,
    start: (id: number, ...more: readonly string[]) => {
      const node = new NodeProcess(id, endpoints[id]!, flagsOf(id, more), directory);
      started.push(node);
      return node;
    },
    refused: async (id: number, ...more: readonly string[]) => {
      const { code, errorOutput } = await runCommand(flagsOf(id, more), { cwd: directory });
      t.equal(code, 1, errorOutput);
      return errorOutput;
    },
  };
}

async function putAndGet(t: Test, endpoints: readonly string[]): Promise<void> {
  const client = connect({ endpoints, requestTimeoutMs: 30_000 });
  await client.put('a', '10');
  t.equal(String((await client.get('a'))?.value), '10');
  t.equal((await client.members()).members.length, endpoints.length);
  await client.close();
}

t.test('SRV records name the members, and a restart asks nobody', async (t) => {
  const { ports, endpoints, start } = await createNodes(t, 3);
  const records = ports.map((port) => ({ host: '127.0.0.1', port }));
  const dns = await startDns(t, '_kvorum._tcp.example.test', records);
  const flags = ['--discovery-srv', 'example.test', '--discovery-dns', dns];
  const nodes = [0, 1, 2].map((id) => start(id, ...flags));
  await Promise.all(nodes.map((node) => node.waitFor(({ event }) => event === 'node started')));
  await putAndGet(t, endpoints);

  nodes[0]!.kill('SIGKILL');
  await nodes[0]!.ended;
  const gone = ['--discovery-srv', 'example.test', '--discovery-dns', '127.0.0.1:1'];
  await start(0, ...gone).waitFor(({ event }) => event === 'node started');
  await putAndGet(t, endpoints);
});

t.test('what SRV records do not say is refused', async (t) => {
  const { ports, refused } = await createNodes(t, 2);
  const dns = await startDns(t, '_kvorum._tcp.example.test', [
    { host: '127.0.0.1', port: ports[1]! },
  ]);
  const by = ['--discovery-dns', dns];
  t.match(
    await refused(0, '--discovery-srv', 'none.test', ...by),
    /no SRV records of _kvorum._tcp.none.test/,
  );
  t.match(
    await refused(0, '--discovery-srv', 'example.test', ...by),
    /does not name 127.0.0.1:\d+: give --listen one of/,
  );
});

/** Three members are collected at a URL; a fourth, a double and a wrong token are refused. */
async function collect(t: Test, url: string, putSize: () => Promise<unknown>): Promise<void> {
  const { endpoints, start, refused } = await createNodes(t, 4);
  t.match(await refused(0, '--discovery', url), /the token is wrong, or the key \/_etcd\/registry/);
  await putSize();
  const first = start(0, '--discovery', url, '--name', 'm0');
  const second = start(1, '--discovery', url, '--name', 'm1');
  const third = start(2, '--discovery', url, '--name', 'm2');
  const nodes = [first, second, third];
  await Promise.all(nodes.map((node) => node.waitFor(({ event }) => event === 'node started')));
  await putAndGet(t, endpoints.slice(0, 3));

  t.match(await refused(3, '--discovery', url, '--name', 'm3'), /the cluster is full: it has m/);
  t.match(await refused(3, '--discovery', url, '--name', 'm1'), /is a duplicate: m1=http/);
  t.match(await refused(3, '--discovery', 'ftp://x/y'), /expected kvorum:\/\/host:port\/TOKEN/);
}

t.test('a kvorum cluster collects the members of a new one', async (t) => {
  const registry = await startOneNode(t);
  await collect(t, `kvorum://${registry.endpoint}/abc`, () => registry.client.put(SIZE_KEY, '3'));
});

t.test('the JSON gateway of a kvorum cluster does so too', async (t) => {
  const { cluster, clientEndpoints } = await startGateways(t);
  const url = `http://${clientEndpoints[0]}/abc`;
  await collect(t, url, () => cluster.client().put(SIZE_KEY, '3'));
});

if (isThere('etcd')) {
  t.test('and so does an etcd', async (t) => {
    const etcd = await startEtcd(t);
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const put = {
      method: 'POST',
      body: JSON.stringify({ key: base64(SIZE_KEY), value: base64('3') }),
    };
    await collect(t, `http://${etcd}/abc`, () => fetch(`http://${etcd}/v3/kv/put`, put));
  });
}
