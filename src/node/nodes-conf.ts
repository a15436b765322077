/**
 * nodes.conf: the members a cluster is born with, one a line.
 *
 *   # id  address    port  attributes
 *   0     10.0.0.1   7000  client=2379
 *   3     10.0.0.4   7000  role=learner
 *
 * Blank lines and what follows `#` are ignored. Every refusal names the file, the line and what is
 * expected, since an operator reads it. After birth the membership lives in the replicated log.
 */

import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import {
  type ClusterConfig,
  FaultKind,
  NODE_ID_MAX,
  type NodeConfig,
  NodeFault,
} from '../../include/node.ts';

/** Most bytes of a nodes.conf: far above any cluster, far below what could hurt. */
export const NODES_CONF_BYTES_MAX = 1024 * 1024;

/** Most members of a cluster: beyond a few dozen, more members only cost. */
export const NODES_MAX = 64;

const LINE_FORM = 'expected "id address port [client=PORT] [role=voter|learner]"';
const HOST_LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;
const HOST_NAME_CHARACTERS_MAX = 253;

/**
 * Reads the text of a nodes.conf.
 *
 * @param path the file's name, for messages
 * @returns the members, ascending by id
 * @throws NodeFault: the file, the line and what is expected
 */
export function parseNodesConf(path: string, text: string): ClusterConfig {
  if (text.length > NODES_CONF_BYTES_MAX) {
    throw fault(path, `larger than ${NODES_CONF_BYTES_MAX} bytes`, 'is this a nodes.conf?');
  }
  const nodes: NodeConfig[] = [];
  for (const [slot, line] of text.split(/\r?\n/).entries()) {
    const words = line.replace(/#.*/, '').trim().split(/\s+/);
    if (words[0] === '') continue;
    const node = parseLine(path, slot + 1, words);
    refuseClash(path, nodes, node);
    nodes.push(node);
  }
  if (nodes.length > NODES_MAX) {
    throw fault(path, `${nodes.length} nodes`, `list at most ${NODES_MAX}`);
  }
  if (!nodes.some((node) => node.role === 'voter')) {
    throw fault(path, 'no voting node', `${LINE_FORM} on at least one line`);
  }
  nodes.sort((a, b) => a.id - b.id);
  return { path, nodes, clusterId: hashMembers(nodes) };
}

/**
 * Finds the line of a node.
 *
 * @throws NodeFault when the file has no such id
 */
export function nodeOf(config: ClusterConfig, id: number): NodeConfig {
  const node = config.nodes.find((candidate) => candidate.id === id);
  if (node !== undefined) return node;
  const known = config.nodes.map((candidate) => candidate.id).join(', ');
  throw fault(config.path, `no node with id ${id}`, `choose one of ${known}`);
}

function parseLine(path: string, line: number, words: readonly string[]): NodeConfig {
  const refuse = (why: string): never => {
    throw fault(`${path}:${line}`, why, LINE_FORM);
  };
  const [idWord = '', address = '', portWord = '', ...attributes] = words;
  if (words.length < 3) refuse(`${words.length} of 3 fields`);
  if (!/^\d{1,10}$/.test(idWord) || Number(idWord) > NODE_ID_MAX) {
    refuse(`"${idWord}" is not a node id, a number from 0 to ${NODE_ID_MAX}`);
  }
  if (!isAddress(address)) refuse(`"${address}" is not an IP address or host name`);
  const port =
    parsePort(portWord) ?? refuse(`"${portWord}" is not a port, a number from 1 to 65535`);

  let role: NodeConfig['role'] = 'voter';
  let clientPort: number | undefined;
  for (const attribute of attributes) {
    const [name, value = ''] = attribute.split('=', 2);
    if (name === 'role' && (value === 'voter' || value === 'learner')) role = value;
    else if (name === 'role') refuse(`role "${value}" is neither voter nor learner`);
    else if (name === 'client') {
      clientPort =
        parsePort(value) ?? refuse(`client port "${value}" is not a number from 1 to 65535`);
    } else refuse(`unknown attribute "${attribute}"`);
  }
  if (clientPort === port) refuse(`port ${port} is given twice`);
  return { id: Number(idWord), address, port, role, clientPort, line };
}

/** Whether a text is an IP address or a host name. */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0 || isHostName(text);
}

/** RFC 1123. A name of digits and dots alone is a mistyped IPv4 address, not a host. */
function isHostName(address: string): boolean {
  if (address.length > HOST_NAME_CHARACTERS_MAX || /^[\d.]+$/.test(address)) return false;
  return address
    .replace(/\.$/, '')
    .split('.')
    .every((label) => HOST_LABEL.test(label));
}

function parsePort(word: string): number | undefined {
  if (!/^\d{1,5}$/.test(word)) return undefined;
  const port = Number(word);
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function refuseClash(path: string, nodes: readonly NodeConfig[], node: NodeConfig): void {
  for (const other of nodes) {
    const refuse = (what: string): never => {
      const why = `${what} is that of line ${other.line} already`;
      throw fault(`${path}:${node.line}`, why, 'give each node its own');
    };
    if (other.id === node.id) refuse(`id ${node.id}`);
    if (other.address.toLowerCase() !== node.address.toLowerCase()) continue;
    const taken = new Set([other.port, other.clientPort]);
    if (taken.has(node.port)) refuse(`port ${node.port} of ${node.address}`);
    if (node.clientPort !== undefined && taken.has(node.clientPort)) {
      refuse(`client port ${node.clientPort} of ${node.address}`);
    }
  }
}

/** Order of lines, comments and attributes do not matter: ids and addresses do. */
function hashMembers(nodes: readonly NodeConfig[]): bigint {
  const hash = createHash('sha1');
  for (const node of nodes) hash.update(`${node.id} ${node.address.toLowerCase()} ${node.port}\n`);
  return hash.digest().readBigUInt64BE(0);
}

function fault(path: string, what: string, remedy: string): NodeFault {
  return new NodeFault(FaultKind.Configuration, what, { path, remedy });
}
