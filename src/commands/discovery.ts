/**
 * A new cluster whose members find each other: by SRV records of DNS, or in a registry that
 * collects them until it has as many as expected. All come to the same list, in the same order,
 * which is what nodes.conf is elsewhere. A directory that has run is that member again, without
 * asking anybody.
 */

import { createHash } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { ClusterConfig, NodeId } from '../../include/node.ts';
import { formatEndpoint, parseEndpoint } from '../client/endpoint.ts';
import { readIdentity } from '../node/data-directory.ts';
import type { MemberPlace } from '../node/node.ts';
import { nodeOf, parseNodesConf } from '../node/nodes-conf.ts';
import { CommandError, ExitCode } from './command-error.ts';
import type { Joined } from './join.ts';
import { openRegistry, type Registry, type RegistryPair } from './registry.ts';
import { type FlagReader, readPort } from './server-flags.ts';
import type { Flags } from './settings.ts';

/** Milliseconds between two looks at who has registered. */
const LOOK_MS = 300;

/** Most members that a registry may ask for: nodes.conf takes no more. */
const SIZE_MAX = 64;

/** Flags of a node that finds the others. */
export const DISCOVERY_FLAGS = {
  discovery: {
    type: 'string',
    requiresArg: true,
    describe: 'URL of a registry that collects the members: kvorum://host:port/TOKEN, or http://',
  },
  'discovery-srv': {
    type: 'string',
    requiresArg: true,
    describe: 'domain whose records _kvorum._tcp name the members',
  },
  'discovery-dns': {
    type: 'string',
    requiresArg: true,
    describe: 'with --discovery-srv: the DNS server to ask, address:port',
    defaultDescription: 'those of the system',
  },
} as const satisfies Flags;

/** This node, before it knows the others. */
type Self = {
  readonly place: MemberPlace;
  readonly name: string;
  readonly clientPort: number | undefined;
};

/** Finds the cluster; undefined without the flags. @throws CommandError, NodeFault, KvorumError */
export async function discoverCluster(
  flag: FlagReader,
  dataDir: string,
): Promise<Joined | undefined> {
  const [url, domain] = [flag('discovery'), flag('discovery-srv')];
  const source = url ?? domain;
  if (source === undefined) return undefined;
  if (url !== undefined && domain !== undefined)
    throw refusal('give --discovery or --discovery-srv, not both');
  const self = readSelf(flag);
  const known = readIdentity(dataDir);
  if (known !== undefined) {
    const cluster = { path: source, nodes: [], clusterId: known.clusterId };
    return joinedAs(known.nodeId, cluster, self);
  }
  const places =
    url === undefined
      ? await lookUp(source, flag('discovery-dns'), self)
      : await register(url, self);
  const lines = places.map((place, id) => {
    const { host, port } = parseEndpoint(place);
    const isSelf = place === nameOf(self);
    return `${id} ${host} ${port}${isSelf && self.clientPort ? ` client=${self.clientPort}` : ''}`;
  });
  const parsed = parseNodesConf(source, lines.join('\n'));
  // Of the same places another cluster may be made later, by another token.
  const hash = createHash('sha1').update(
    `${source.replace(/\/$/, '').split('/').at(-1)} ${places.join()}`,
  );
  const clusterId = hash.digest().readBigUInt64BE(0);
  return joinedAs(places.indexOf(nameOf(self)), { ...parsed, clusterId }, self);
}

function joinedAs(id: NodeId, cluster: ClusterConfig, { place, clientPort }: Self): Joined {
  if (cluster.nodes.length > 0) return { id, cluster, self: nodeOf(cluster, id) };
  return { id, cluster, self: { id, ...place, clientPort, role: 'voter', line: 0 } };
}

function readSelf(flag: FlagReader): Self {
  const listen = flag('listen');
  if (listen === undefined) {
    throw refusal('discovery needs --listen: host:port where the others reach this node');
  }
  const { host: address, port, name } = parseEndpoint(listen);
  const clientPort = readPort('client-port', flag('client-port'));
  return { place: { address, port }, name: flag('name') ?? name, clientPort };
}

/** The places that DNS names, in the order of their names. */
async function lookUp(domain: string, server: string | undefined, self: Self): Promise<string[]> {
  const resolver = new Resolver({ timeout: 3_000, tries: 3 });
  if (server !== undefined) resolver.setServers([server]);
  const name = `_kvorum._tcp.${domain}`;
  const records = await resolver.resolveSrv(name).catch((cause: Error) => {
    throw refusal(`--discovery-srv ${domain}: no SRV records of ${name} (${cause.message})`);
  });
  const places = records.map((record) => formatEndpoint(record.name, record.port)).sort();
  if (new Set(places).size < places.length)
    throw refusal(`${name} names a member twice: ${places}`);
  if (places.includes(nameOf(self))) return places;
  throw refusal(`${name} does not name ${nameOf(self)}: give --listen one of ${places.join(', ')}`);
}

/** Registers this node and waits for the others; the places in the order of registration. */
async function register(url: string, self: Self): Promise<string[]> {
  const registry = openRegistry(url);
  try {
    const size = await readSize(registry, url);
    const own = `${self.name}=http://${nameOf(self)}`;
    refuseClash(await readMembers(registry), own, size, url);
    const id = createHash('sha1').update(own).digest('hex').slice(0, 16);
    await registry.create(`members/${id}`, own);
    for (;;) {
      const members = await readMembers(registry);
      const chosen = members.slice(0, size);
      if (members.length >= size && !chosen.includes(own)) throw full(url, chosen);
      if (members.length >= size) return chosen.map((member) => placeOf(member, url));
      await pause(LOOK_MS);
    }
  } finally {
    await registry.close();
  }
}

async function readSize(registry: Registry, url: string): Promise<number> {
  const [pair] = await registry.list('_config/size');
  if (pair === undefined) {
    const what = 'no cluster is collected there: the token is wrong';
    const remedy = 'or the key /_etcd/registry/TOKEN/_config/size has to be put first';
    throw refusal(`--discovery ${url}: ${what}, ${remedy}`);
  }
  const size = Number(pair.value);
  if (/^\d{1,3}$/.test(pair.value) && size >= 1 && size <= SIZE_MAX) return size;
  throw refusal(
    `--discovery ${url}: its size "${pair.value}" is not a number from 1 to ${SIZE_MAX}`,
  );
}

/** What the members said, first come first. */
async function readMembers(registry: Registry): Promise<string[]> {
  const pairs = [...(await registry.list('members/'))];
  pairs.sort((a: RegistryPair, b: RegistryPair) => a.createRevision - b.createRevision);
  return pairs.map(({ value }) => value);
}

function refuseClash(members: readonly string[], own: string, size: number, url: string): void {
  if (members.includes(own)) return;
  const [name, place] = own.split('=', 2);
  for (const member of members) {
    const [otherName, otherPlace] = member.split('=', 2);
    if (name !== otherName && place !== otherPlace) continue;
    throw refusal(`--discovery ${url}: ${own} is a duplicate: ${member} is registered already`);
  }
  if (members.length >= size) throw full(url, members);
}

function full(url: string, members: readonly string[]): CommandError {
  const who = members.join(', ');
  return refusal(`--discovery ${url}: the cluster is full: it has ${who}; --join it instead`);
}

function placeOf(member: string, url: string): string {
  const [, place = ''] = /=(?:http:\/\/)([^/]+)$/.exec(member) ?? [];
  if (place === '')
    throw refusal(`--discovery ${url}: a member "${member}" is not NAME=http://host:port`);
  return parseEndpoint(place).name;
}

function nameOf({ place: { address, port } }: Self): string {
  return formatEndpoint(address, port);
}

function refusal(text: string): CommandError {
  return new CommandError(ExitCode.Error, text);
}
