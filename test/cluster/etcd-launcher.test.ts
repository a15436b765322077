/** `kvorum etcd`: nodes started by etcd's flags, as processes. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { freePorts } from '../free-ports.ts';
import { NodeProcess, runCommand } from './processes.ts';

t.setTimeout(240_000);

/** A member's places. */
type Places = { readonly name: string; readonly peer: number; readonly client: number };

async function choosePlaces(names: readonly string[]): Promise<Places[]> {
  const ports = await freePorts(names.length * 2);
  return names.map((name, slot) => ({
    name,
    peer: ports[slot * 2]!,
    client: ports[slot * 2 + 1]!,
  }));
}

async function directoryOf(t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'kvorum-etcd-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

const urlOf = (port: number): string => `http://127.0.0.1:${port}`;

function initialCluster(places: readonly Places[]): string {
  return places.map(({ name, peer }) => `${name}=${urlOf(peer)}`).join();
}

/** Starts a member; resolves when its gateway serves. */
async function start(
  t: Test,
  directory: string,
  { name, peer, client }: Places,
  flags: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<NodeProcess> {
  const args = [
    ...['etcd', '--log-outputs=stdout', `--name=${name}`, `--listen-peer-urls=${urlOf(peer)}`],
    ...[`--listen-client-urls=${urlOf(client)}`, `--advertise-client-urls=${urlOf(client)}`],
    ...[`--initial-advertise-peer-urls=${urlOf(peer)}`, ...flags],
  ];
  const node = new NodeProcess(0, `127.0.0.1:${peer}`, args, directory, environment);
  t.teardown(async () => {
    node.kill('SIGKILL');
    await node.ended;
  });
  await node.waitFor((line) => line.event === 'gateway started');
  return node;
}

/** Asks the JSON gateway. */
async function ask(port: number, path: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${urlOf(port)}/v3/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return answer as Record<string, unknown>;
}

/** The members as the list says them, once all are named. */
async function members(port: number, isDone: (names: string) => boolean): Promise<string[]> {
  for (;;) {
    const { members } = await ask(port, 'cluster/member/list', {});
    const lines = (members as { name?: string; clientURLs?: string[] }[]).map(
      ({ name = '', clientURLs = [] }) => `${name} ${clientURLs}`,
    );
    if (isDone(lines.sort().join())) return lines;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

t.test('one node alone needs no cluster, and finds itself again in its directory', async (t) => {
  const directory = await directoryOf(t);
  const [place] = await choosePlaces(['one']);
  const node = await start(t, directory, place!, [], { ETCD_INITIAL_CLUSTER_TOKEN: 'mine' });
  await ask(place!.client, 'kv/put', { key: 'YQ==', value: 'MQ==' });
  const named = await members(place!.client, (names) => names.includes('http'));
  t.strictSame(named, [`one ${urlOf(place!.client)}`]);
  node.kill('SIGTERM');
  t.match(await node.ended, { code: 0 });

  // Who has run does not ask who the initial cluster was.
  await start(t, directory, place!, ['--initial-cluster=odd=http://127.0.0.1:1']);
  t.match(await ask(place!.client, 'kv/range', { key: 'YQ==' }), { kvs: [{ value: 'MQ==' }] });
});

t.test('three make a cluster; one that was added by etcd joins it', async (t) => {
  const directory = await directoryOf(t);
  const places = await choosePlaces(['b', 'a', 'c', 'd']);
  const born = places.slice(0, 3);
  const nodes = await Promise.all(
    born.map((place, slot) => {
      const order = [...born.slice(slot), ...born.slice(0, slot)];
      return start(t, directory, place, [`--initial-cluster=${initialCluster(order)}`]);
    }),
  );
  await ask(places[0]!.client, 'kv/put', { key: 'YQ==', value: 'MQ==' });
  t.match(await ask(places[2]!.client, 'kv/range', { key: 'YQ==' }), { count: '1' });
  const all = (names: string): boolean => names.split('http').length === 4;
  await members(places[1]!.client, all);

  const joiner = places[3]!;
  const existing = [
    '--initial-cluster-state=existing',
    `--initial-cluster=${initialCluster(places)}`,
  ];
  const early = await start(t, directory, joiner, existing).then(
    () => t.fail('a member that was not added has started'),
    (error: Error) => error.message,
  );
  t.match(early, /the cluster has no member at http:\/\/127\.0\.0\.1:\d+: add it first/);
  await ask(places[0]!.client, 'cluster/member/add', { peerURLs: [urlOf(joiner.peer)] });
  const fourth = await start(t, directory, joiner, existing);
  await members(joiner.client, (names) => names.includes(`d ${urlOf(joiner.client)}`));
  t.match(await ask(joiner.client, 'kv/range', { key: 'YQ==' }), { count: '1' });

  // It votes: two of four would not be enough.
  await fourth.waitFor((line) => String(line.voters) === '0,1,2,3');
  nodes[0]!.kill('SIGKILL');
  await nodes[0]!.ended;
  await ask(places[2]!.client, 'kv/put', { key: 'YQ==', value: 'Mg==' });
  t.match(await ask(joiner.client, 'kv/range', { key: 'YQ==' }), { kvs: [{ value: 'Mg==' }] });
});

t.test('a snapshot is restored to members that etcd flags name', async (t) => {
  const directory = await directoryOf(t);
  const [old, ...places] = await choosePlaces(['old', 'y', 'x']);
  const node = await start(t, directory, old!);
  await ask(old!.client, 'kv/put', { key: 'YQ==', value: 'MQ==' });
  const file = join(directory, 'snapshot');
  const saved = await runCommand([
    'snapshot',
    'save',
    file,
    '--endpoints',
    `127.0.0.1:${old!.peer}`,
  ]);
  t.equal(saved.code, 0, saved.errorOutput);
  node.kill('SIGKILL');
  await node.ended;

  for (const { name, peer } of places) {
    const flags = ['--name', name, '--initial-cluster', initialCluster(places)];
    const urls = ['--initial-advertise-peer-urls', urlOf(peer), '--initial-cluster-token', 'new'];
    const dataDir = ['--data-dir', join(directory, `${name}.etcd`)];
    const restored = await runCommand(['snapshot', 'restore', file, ...flags, ...urls, ...dataDir]);
    t.equal(restored.code, 0, restored.errorOutput);
  }
  await Promise.all(places.map((place) => start(t, directory, place)));
  for (const { client } of places) {
    t.match(await ask(client, 'kv/range', { key: 'YQ==' }), { kvs: [{ value: 'MQ==' }] });
  }
  await ask(places[0]!.client, 'kv/put', { key: 'YQ==', value: 'Mg==' });
  t.match(await ask(places[1]!.client, 'kv/range', { key: 'YQ==' }), { kvs: [{ value: 'Mg==' }] });
});
