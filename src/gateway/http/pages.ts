/** Pages for operators: /version, /health, /livez, /readyz, /metrics. */

import { ETCD_CLUSTER_VERSION, ETCD_VERSION } from '../../../include/gateway.ts';
import { NO_NODE, type NodeStatus, Role } from '../../../include/node.ts';
import { memberIdOf } from '../member-id.ts';
import type { NodeClient } from '../node-client.ts';
import { isReadable } from '../v3/probe.ts';
import { answerText, answerWith, type Exchange } from './exchange.ts';

/** What answers a page. */
export type Page = (exchange: Exchange) => void;

/** The pages by path. */
export type Pages = ReadonlyMap<string, Page>;

const JSON_TYPE = { 'content-type': 'application/json' };
const METRICS_TYPE = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };

/** Makes the pages of a node. */
export function createPages(node: NodeClient): Pages {
  return new Map<string, Page>([
    ['/version', (exchange) => answerWith(exchange, 200, JSON_TYPE, versionText())],
    ['/health', (exchange) => void answerHealth(node, exchange)],
    ['/livez', (exchange) => void answerCheck(node, exchange, 'serializable_read')],
    ['/readyz', (exchange) => void answerCheck(node, exchange, 'linearizable_read')],
    ['/metrics', (exchange) => void answerMetrics(node, exchange)],
  ]);
}

function versionText(): string {
  return JSON.stringify({
    etcdserver: ETCD_VERSION,
    etcdcluster: ETCD_CLUSTER_VERSION,
    storage: ETCD_CLUSTER_VERSION,
  });
}

async function answerHealth(node: NodeClient, exchange: Exchange): Promise<void> {
  const isSerializable = exchange.query.get('serializable') === 'true';
  const reason = await whyUnhealthy(node, isSerializable);
  const health = { health: reason === '' ? 'true' : 'false', reason };
  answerWith(exchange, reason === '' ? 200 : 503, JSON_TYPE, JSON.stringify(health));
}

async function answerCheck(node: NodeClient, exchange: Exchange, check: string): Promise<void> {
  const isSerializable = check === 'serializable_read';
  const reason = await whyUnhealthy(node, isSerializable);
  if (reason !== '') answerText(exchange, 503, `[-]${check} failed: ${reason}\n`);
  else if (exchange.query.has('verbose')) answerText(exchange, 200, `[+]${check} ok\nok\n`);
  else answerText(exchange, 200, 'ok\n');
}

/** Why the node does not serve; empty when it does. */
async function whyUnhealthy(node: NodeClient, isSerializable: boolean): Promise<string> {
  try {
    const status = await node.status();
    if (status.leader === NO_NODE && !isSerializable) return 'RAFT NO LEADER';
    await isReadable(node, isSerializable);
    return '';
  } catch (error) {
    return `RANGE ERROR:${error instanceof Error ? error.message : String(error)}`;
  }
}

async function answerMetrics(node: NodeClient, exchange: Exchange): Promise<void> {
  const status = await node.status().catch(() => undefined);
  if (status === undefined) answerText(exchange, 503, 'the node does not answer\n');
  else answerWith(exchange, 200, METRICS_TYPE, metricsText(node, status));
}

/** What dashboards for etcd ask for first, as far as a node's status says it. */
function metricsText(node: NodeClient, status: NodeStatus): string {
  const flag = (isTrue: boolean): number => (isTrue ? 1 : 0);
  const serverId = memberIdOf(node.clusterId, node.nodeId).toString(16);
  const gauges: readonly (readonly [name: string, help: string, value: number])[] = [
    ['etcd_server_has_leader', 'Whether a leader is known.', flag(status.leader !== NO_NODE)],
    ['etcd_server_is_leader', 'Whether it leads.', flag(status.role === Role.Leader)],
    ['etcd_server_is_learner', 'Whether it is a learner.', flag(status.isLearner)],
    ['etcd_server_proposals_committed_total', 'Entries committed.', status.commitIndex],
    ['etcd_server_proposals_applied_total', 'Entries applied.', status.appliedIndex],
    ['etcd_mvcc_db_total_size_in_bytes', 'Bytes of the store.', status.dbSizeBytes],
    ['etcd_mvcc_db_total_size_in_use_in_bytes', 'Bytes in use.', status.dbSizeInUseBytes],
    ['etcd_debugging_mvcc_current_revision', 'The newest revision.', status.revision],
    ['etcd_debugging_mvcc_compact_revision', 'The compacted one.', status.compactRevision],
    [`etcd_server_id{server_id="${serverId}"}`, 'The member.', 1],
    [`etcd_server_version{server_version="${ETCD_VERSION}"}`, 'The version.', 1],
    ['process_resident_memory_bytes', 'Memory of the process.', process.memoryUsage.rss()],
  ];
  return gauges
    .map(([name, help, value]) => {
      const bare = name.replace(/\{.*/, '');
      return `# HELP ${bare} ${help}\n# TYPE ${bare} gauge\n${name} ${value}\n`;
    })
    .join('');
}
