import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { NO_LOG } from '../../include/log.ts';
import { FaultKind, NodeFault } from '../../include/node.ts';
import { connect } from '../../src/client/connect.ts';
import { createSystemClock } from '../../src/clock.ts';
import { type Node, type NodeOptions, startNode } from '../../src/node/node.ts';
import { parseNodesConf } from '../../src/node/nodes-conf.ts';
import { freePorts } from '../free-ports.ts';

type Home = {
  readonly directory: string;
  readonly options: NodeOptions;
  readonly endpoint: string;
};

async function createHome(t: Test): Promise<Home> {
  const directory = await mkdtemp(join(tmpdir(), 'kvorum-node-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const [port] = await freePorts(1);
  const options = {
    id: 0,
    cluster: parseNodesConf('nodes.conf', `0 127.0.0.1 ${port}`),
    dataDir: join(directory, 'data'),
    version: 'test',
    clock: createSystemClock(),
    log: NO_LOG,
    onFatal: (cause: unknown) => t.fail(`the node failed: ${cause}`),
  };
  return { directory, options, endpoint: `127.0.0.1:${port}` };
}

async function withNode<T>(
  { options, endpoint }: Home,
  run: (client: ReturnType<typeof connect>, node: Node) => Promise<T>,
): Promise<T> {
  const node = await startNode(options);
  const client = connect({ endpoints: [endpoint], requestTimeoutMs: 20_000 });
  try {
    return await run(client, node);
  } finally {
    await client.close();
    await node.stop();
  }
}

t.test('a store that was lost is built anew from a log that goes back to the start', async (t) => {
  const home = await createHome(t);
  await withNode(home, async (client) => {
    for (let i = 0; i < 20; i += 1) await client.put(`k${i}`, `v${i}`);
  });
  await rm(join(home.options.dataDir, 'store'), { recursive: true });
  await withNode(home, async (client) => {
    const { kvs, revision } = await client.range('k', { prefix: true });
    t.equal(kvs.length, 20);
    t.equal(revision, 21);
  });
});

t.test('a store behind what the log has dropped is refused, with the remedy', async (t) => {
  const home = await createHome(t);
  const kept = { entriesMax: 5, bytesMax: 1024 };
  const trimming = { ...home, options: { ...home.options, logKept: kept } };
  await withNode(trimming, async (client, node) => {
    for (let i = 0; i < 50; i += 1) await client.put(`k${i}`, 'v');
    const isTrimmed = (): boolean => node.member.options.wal.baseIndex > 0;
    while (!isTrimmed()) await client.put('again', 'v');
  });
  await rm(join(home.options.dataDir, 'store'), { recursive: true });
  const refused = await startNode(home.options).catch((error: unknown) => error);
  t.type(refused, NodeFault);
  t.equal(refused instanceof NodeFault && refused.kind, FaultKind.StoreBehind);
  t.match(String(refused), /the store ends at entry 0, the log starts behind \d+/);
});

t.test('a log that was lost is refused: a member that forgets its vote is unsafe', async (t) => {
  const home = await createHome(t);
  await withNode(home, async (client) => client.put('a', '1'));
  await rm(join(home.options.dataDir, 'wal'), { recursive: true });
  const refused = await startNode(home.options).catch((error: unknown) => error);
  t.equal(refused instanceof NodeFault && refused.kind, FaultKind.LogMissing);
});

t.test('what is asked of a stopped node is refused, never left open', async (t) => {
  const home = await createHome(t);
  const node = await startNode(home.options);
  const client = connect({ endpoints: [home.endpoint], requestTimeoutMs: 500 });
  await client.put('a', '1', { timeoutMs: 60_000 });
  const pending = Array.from({ length: 50 }, (_, i) => client.put(`k${i}`, 'v').then(() => 'ok'));
  const settled = Promise.allSettled(pending);
  await node.stop();
  const outcomes = await settled;
  t.equal(outcomes.length, 50);
  await client.close();
});
