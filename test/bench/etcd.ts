/** Three real etcd nodes, with etcd's defaults. Asked after their health over its JSON gateway. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type Command, compaction, type Layout, STATE_TIMEOUT_MS, type System } from './system.ts';

/** Far beyond what a run writes, so that the space quota (2 GiB by default) plays no part. */
const QUOTA_BYTES = 8 * 1024 * 1024 * 1024;

/** The version of the installed etcd, or undefined when there is none. */
export function etcdVersion(): string | undefined {
  const run = spawnSync('etcd', ['--version'], { encoding: 'utf8' });
  if (run.error !== undefined) return undefined;
  return /etcd Version: (\S+)/.exec(run.stdout)?.[1] ?? 'of unknown version';
}

/** etcd as the benchmark sees it. */
export const etcd: System = {
  name: 'etcd',
  prepare: () => undefined,
  etcdPorts: ({ clientPorts }) => clientPorts,

  command: (layout, slot) => {
    const peer = (at: number): string => peerUrl(layout, at);
    const client = `http://127.0.0.1:${layout.clientPorts[slot]}`;
    const members = layout.peerPorts.map((_, at) => `n${at}=${peer(at)}`).join(',');
    const clusterState = slot < layout.founderCount ? 'new' : 'existing';
    const args = [
      ...['--name', `n${slot}`, '--data-dir', dataDirectory(layout, slot)],
      ...['--listen-peer-urls', peer(slot), '--initial-advertise-peer-urls', peer(slot)],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--initial-cluster', members, '--initial-cluster-state', clusterState],
      ...['--quota-backend-bytes', String(QUOTA_BYTES)],
      ...['--logger', 'zap', '--log-outputs', 'stderr'],
    ];
    return { file: 'etcd', args, env: {} };
  },

  addMember: (layout, slot) =>
    etcdctl(layout, 0, ['member', 'add', `n${slot}`, `--peer-urls=${peerUrl(layout, slot)}`]),

  saveSnapshot: (layout, slot, path) => etcdctl(layout, slot, ['snapshot', 'save', path]),

  compact: (layout, slot, revision) => etcdctl(layout, slot, compaction(revision)),

  state: async (port) => {
    const status = await post(port, '/v3/maintenance/status', {});
    const header = status.header as { member_id: string };
    return {
      isLeader: status.leader === header.member_id,
      hasLeader: status.leader !== undefined && status.leader !== '0',
      appliedIndex: Number(status.raftAppliedIndex ?? 0),
      isVoter: status.isLearner !== true,
    };
  },

  countKeys: async (port) => {
    const everything = Buffer.from([0]).toString('base64');
    const request = { key: everything, range_end: everything, count_only: true };
    const answer = await post(port, '/v3/kv/range', request);
    return Number(answer.count ?? 0);
  },
};

function dataDirectory(layout: Layout, slot: number): string {
  return join(layout.directory, `n${slot}`);
}

function peerUrl(layout: Layout, slot: number): string {
  return `http://127.0.0.1:${layout.peerPorts[slot]}`;
}

/** @param slot the node that is asked */
function etcdctl(layout: Layout, slot: number, words: readonly string[]): Command {
  const endpoint = `127.0.0.1:${layout.clientPorts[slot]}`;
  const args = ['--endpoints', endpoint, ...words];
  return { file: 'etcdctl', args, env: { ETCDCTL_API: '3' } };
}

/** Asks a node over the JSON of etcd's API. */
export async function post(
  port: number,
  path: string,
  body: object,
  timeoutMs = STATE_TIMEOUT_MS,
): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}
