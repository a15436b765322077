import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ErrorCode } from '../../include/rpc.ts';
import {
  connect,
  createNode,
  type EmbeddedNode,
  FaultKind,
  type NodeFault,
  Role,
} from '../../src/kvorum.ts';
import { freePorts } from '../free-ports.ts';

const FAST = { heartbeatMs: 20, electionMs: 200 };

async function makeDirectory(t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'kvorum-embed-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function rejectsWith(
  t: Test,
  started: Promise<EmbeddedNode>,
  kind: NodeFault['kind'],
): Promise<void> {
  const fault = await started.then(
    () => undefined,
    (error: NodeFault) => error,
  );
  t.equal(fault?.kind, kind);
}

t.test('a node alone keeps what it was given when it is started again', async (t) => {
  const dataDir = await makeDirectory(t);
  for (const expected of [undefined, '1', '2']) {
    const node = await createNode({ dataDir, ...FAST });
    const client = node.client();
    const value = (await client.get('count'))?.value.toString();
    t.equal(value, expected);
    await client.put('count', String(Number(value ?? 0) + 1));
    await client.close();
    await node.stop();
  }
});

t.test('a node alone opens no port', async (t) => {
  const before = process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length;
  const node = await createNode({ dataDir: await makeDirectory(t), ...FAST });
  const client = node.client();
  await client.put('a', '1');
  const after = process.getActiveResourcesInfo();
  t.equal(after.filter((name) => name === 'TCPServerWrap').length, before);
  t.notOk(after.includes('TCPSocketWrap'));
  t.match(await client.status(), { role: Role.Leader, nodeId: 0, peers: [] });
  await client.close();
  await node.stop();
});

t.test('transactions, watches and leases work within the process', async (t) => {
  const node = await createNode({ dataDir: await makeDirectory(t), ...FAST });
  const client = node.client();
  const watcher = client.watch('w/', { prefix: true });
  await watcher.created;
  const lease = await client.holdLease(60);
  await client.txn({
    then: [
      { put: 'w/a', value: '1', lease: lease.id },
      { put: 'w/b', value: '2' },
    ],
  });
  for await (const { events } of watcher) {
    t.strictSame(
      events.map(({ kv }) => `${kv.key}=${kv.value}`),
      ['w/a=1', 'w/b=2'],
    );
    break;
  }
  await lease.release();
  t.equal(await client.get('w/a'), undefined);
  await client.close();
  await node.stop();
});

t.test('many large values go through the pair in memory unharmed', async (t) => {
  const node = await createNode({ dataDir: await makeDirectory(t), ...FAST });
  const client = node.client();
  const values = Array.from({ length: 20 }, (_, id) => Buffer.alloc(300_000 + id, id));
  await Promise.all(values.map((value, id) => client.put(`large/${id}`, value)));
  const read = await Promise.all(values.map((_, id) => client.get(`large/${id}`)));
  for (const [id, value] of values.entries()) t.ok(read[id]?.value.equals(value), `${id}`);
  await client.close();
  await node.stop();
});

t.test('a directory is one node’s at a time', async (t) => {
  const dataDir = await makeDirectory(t);
  const node = await createNode({ dataDir, ...FAST });
  await rejectsWith(t, createNode({ dataDir, ...FAST }), FaultKind.DirectoryLocked);
  await node.stop();
});

t.test('the directory of one cluster is not taken for another', async (t) => {
  const dataDir = await makeDirectory(t);
  await (await createNode({ dataDir, ...FAST })).stop();
  const [port] = await freePorts(1);
  const cluster = [{ id: 0, address: '127.0.0.1', port: port ?? 0 }];
  const started = createNode({ dataDir, cluster, id: 0, ...FAST });
  await rejectsWith(t, started, FaultKind.DirectoryForeign);
});

t.test('a cluster that cannot be is refused before anything is made', async (t) => {
  const dataDir = await makeDirectory(t);
  const refused = [
    [[{ id: 0, address: 'not a host', port: 1 }], 0, /"not" is not|not a port/],
    [[{ id: 0, address: 'localhost', port: 0 }], 0, /"0" is not a port/],
    [[{ id: 0, address: 'localhost', port: 1 }], 1, /no node with id 1/],
    ['0 localhost', 0, /2 of 3 fields/],
    [[], 0, /no voting node/],
  ] as const;
  for (const [cluster, id, message] of refused) {
    await t.rejects(createNode({ dataDir, cluster, id }), {
      kind: FaultKind.Configuration,
      message,
    });
  }
});

/** Three members of a cluster, all in this process. */
async function startMembers(t: Test): Promise<{ nodes: EmbeddedNode[]; endpoints: string[] }> {
  const directory = await makeDirectory(t);
  const ports = await freePorts(3);
  const cluster = ports.map((port, id) => ({ id, address: '127.0.0.1', port }));
  const nodes = await Promise.all(
    cluster.map(({ id }) =>
      createNode({ cluster, id, dataDir: join(directory, String(id)), ...FAST }),
    ),
  );
  return { nodes, endpoints: ports.map((port) => `127.0.0.1:${port}`) };
}

t.test('members within one process are a cluster, and each one’s client can write', async (t) => {
  const { nodes, endpoints } = await startMembers(t);
  const clients = nodes.map((node) => node.client());
  for (const [id, client] of clients.entries()) {
    await client.put(`member/${id}`, 'here');
    t.equal((await client.status()).nodeId, id, 'it asks its own node');
  }
  for (const client of clients) {
    t.equal((await client.range('member/', { prefix: true })).count, 3);
  }
  const outside = connect({ endpoints });
  t.equal((await outside.range('member/', { prefix: true })).count, 3, 'over the network too');

  const leader = (await outside.status()).leader;
  await clients[leader]?.close();
  await nodes[leader]?.stop();
  await outside.put('after', 'the leader left');
  const rest = clients.filter((_, id) => id !== leader);
  for (const client of rest) t.ok(await client.get('after'));
  for (const client of [...rest, outside]) await client.close();
  await Promise.all(nodes.filter(({ id }) => id !== leader).map((node) => node.stop()));
});

t.test('a cluster can be given as the text of a nodes.conf', async (t) => {
  const [port] = await freePorts(1);
  const cluster = `# alone, but reachable\n7 127.0.0.1 ${port}\n`;
  const node = await createNode({ dataDir: await makeDirectory(t), cluster, id: 7, ...FAST });
  t.equal(node.id, 7);
  const socket = connectTcp(port ?? 0, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
  await node.stop();
});

t.test('a client of a node that has stopped is told so', async (t) => {
  const node = await createNode({ dataDir: await makeDirectory(t), ...FAST });
  const client = node.client();
  await client.put('a', '1');
  await node.stop();
  await t.rejects(client.get('a', { timeoutMs: 200 }), { code: ErrorCode.Unreachable });
  await client.close();
});

/** Fills a disk that takes some MiB a file. */
async function fillDisk(
  dataDir: string,
  how: string,
): Promise<{ code: number | null; output: string; errorOutput: string }> {
  const program = join(import.meta.dirname, 'fill-disk.ts');
  // What the test runner puts into every process ends it by a signal; a program's write just fails.
  const limited = `unset NODE_OPTIONS; ulimit -f 6000; exec "${process.execPath}"`;
  const command = `${limited} "${program}" "${dataDir}" ${how}`;
  const child = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errorOutput = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errorOutput += chunk.toString();
  });
  const [code] = await once(child, 'close');
  return { code, output, errorOutput };
}

t.test('a program is told when its node’s disk fails, and can end', async (t) => {
  const { code, output } = await fillDisk(await makeDirectory(t), 'told');
  t.equal(code, 3);
  t.match(output, /told (NodeFault|StoreError): .*EFBIG/);
});

t.test('a failed disk ends a program that did not ask to be told; nothing is lost', async (t) => {
  const dataDir = await makeDirectory(t);
  const { code, output, errorOutput } = await fillDisk(dataDir, 'untold');
  t.equal(code, 1);
  t.match(errorOutput, /(NodeFault|StoreError): .*EFBIG/);
  const acknowledged = Number(output.trim().split('\n').at(-1));

  const node = await createNode({ dataDir, ...FAST });
  const client = node.client();
  const count = Number((await client.get('count'))?.value);
  // The next one may have taken effect when the program ended.
  t.ok(count === acknowledged || count === acknowledged + 1, `${count} of ${acknowledged}`);
  await client.close();
  await node.stop();
});
