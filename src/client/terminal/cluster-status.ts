/** The whole cluster at a glance: one row a node, those that did not answer included. */

import { NO_NODE, Role } from '../../../include/node.ts';
import type { StatusReply } from '../../../include/rpc.ts';
import type { SurveyedNode } from '../survey.ts';
import { goQuote } from './go-quote.ts';
import { printJson } from './json.ts';
import { hexId, type Output } from './printer.ts';
import { drawTable } from './table.ts';

const ROLE_NAMES: ReadonlyMap<Role, string> = new Map([
  [Role.Follower, 'follower'],
  [Role.PreCandidate, 'pre-candidate'],
  [Role.Candidate, 'candidate'],
  [Role.Leader, 'leader'],
]);

/** What is shown of one node. Text is empty and numbers undefined where nothing is known. */
export type StatusRow = {
  readonly id: number | undefined;
  readonly address: string;
  readonly role: string;
  readonly leader: number | undefined;
  readonly term: number | undefined;
  readonly applied: number | undefined;
  /** Entries committed somewhere that this node has not applied. */
  readonly lag: number | undefined;
  readonly peersOnline: number | undefined;
  readonly peers: number | undefined;
  readonly version: string;
  /** The newest protocol version that it speaks, and that of the cluster as it knows it. */
  readonly protocolVersion: number | undefined;
  readonly clusterVersion: number | undefined;
  readonly error: string;
};

const HEADERS = ['id', 'address', 'role', 'term', 'applied', 'lag', 'peers online', 'version'];

/** Says what is known of each node. */
export function statusRows(nodes: readonly SurveyedNode[]): StatusRow[] {
  const commitIndex = Math.max(0, ...nodes.map((node) => node.status?.commitIndex ?? 0));
  return nodes.map(({ nodeId, endpoint, status, error }) => ({
    id: nodeId,
    address: endpoint,
    role: status === undefined ? 'unreachable' : roleName(status),
    leader: status === undefined || status.leader === NO_NODE ? undefined : status.leader,
    term: status?.term,
    applied: status?.appliedIndex,
    lag: status === undefined ? undefined : commitIndex - status.appliedIndex,
    peersOnline: status?.peers.filter((peer) => peer.isOnline).length,
    peers: status?.peers.length,
    version: status?.version ?? '',
    protocolVersion: status?.protocolVersion,
    clusterVersion: status?.clusterVersion,
    error,
  }));
}

/**
 * Prints the cluster: a table for `simple` and `table`, one object or block of lines a node else.
 */
export function printClusterStatus(
  output: Output,
  format: 'simple' | 'table' | 'json' | 'fields',
  nodes: readonly SurveyedNode[],
): void {
  const rows = statusRows(nodes);
  if (format === 'json') {
    output(`${printJson(rows.map((row) => ({ ...row, error: row.error || undefined })))}\n`);
    return;
  }
  if (format === 'fields') {
    for (const row of rows) printFields(output, row);
    return;
  }
  output(drawTable(HEADERS, rows.map(cells)));
}

function roleName(status: StatusReply): string {
  const role = ROLE_NAMES.get(status.role) ?? 'unknown';
  return status.isLearner && status.role === Role.Follower ? 'learner' : role;
}

function cells(row: StatusRow): string[] {
  return [
    row.id === undefined ? '?' : hexId(row.id),
    row.address,
    row.role,
    number(row.term),
    number(row.applied),
    number(row.lag),
    row.peers === undefined ? '' : `${row.peersOnline}/${row.peers}`,
    versionCell(row),
  ];
}

/** While some members are older than others, what the cluster speaks. */
function versionCell({ version, protocolVersion = 0, clusterVersion = 0 }: StatusRow): string {
  return clusterVersion < protocolVersion ? `${version} (protocol ${clusterVersion})` : version;
}

function number(value: number | undefined): string {
  return value === undefined ? '' : String(value);
}

function printFields(output: Output, row: StatusRow): void {
  const field = (name: string, value: string | number | undefined): void => {
    if (value === undefined) return;
    const text = typeof value === 'string' ? goQuote(Buffer.from(value)) : value;
    output(`"${name}" : ${text}\n`);
  };
  field('ID', row.id);
  field('Address', row.address);
  field('Role', row.role);
  field('Leader', row.leader);
  field('RaftTerm', row.term);
  field('RaftAppliedIndex', row.applied);
  field('Lag', row.lag);
  field('PeersOnline', row.peersOnline);
  field('Peers', row.peers);
  field('Version', row.version === '' ? undefined : row.version);
  field('ProtocolVersion', row.protocolVersion);
  field('ClusterVersion', row.clusterVersion);
  field('Error', row.error === '' ? undefined : row.error);
  output('\n');
}
