/**
 * /metrics: what the node says of itself, what the gateway counts, and the process both are in.
 *
 * A node that does not answer in time makes the page fail, so that whoever asks counts the member
 * as down: half of the numbers would look like health.
 */

import {
  ETCD_CLUSTER_VERSION,
  ETCD_VERSION,
  METRICS_TIMEOUT_MS,
} from '../../../include/gateway.ts';
import type { MetricFamily } from '../../../include/metrics.ts';
import { FrameType } from '../../../include/rpc.ts';
import { counter, gauge } from '../../metrics.ts';
import type { CallMeters } from '../calls/call-meters.ts';
import type { ClientTraffic } from '../client-traffic.ts';
import { METRICS_TEXT_TYPE, metricsText } from '../metrics-text.ts';
import type { NodeClient } from '../node-client.ts';
import { processFamilies } from '../process-families.ts';
import { answerText, answerWith, type Exchange } from './exchange.ts';
import type { HealthCounts } from './health-pages.ts';

/** What the page tells of. */
export type MetricsSources = {
  readonly node: NodeClient;
  readonly meters: CallMeters;
  readonly traffic: ClientTraffic;
  readonly healthCounts: HealthCounts;
};

/** Answers with all metrics. */
export async function answerMetrics(sources: MetricsSources, exchange: Exchange): Promise<void> {
  const { node } = sources;
  const reply = await node
    .askOwn({ type: FrameType.Metrics }, METRICS_TIMEOUT_MS)
    .catch(() => undefined);
  if (reply === undefined) {
    answerText(exchange, 503, `the node did not answer within ${METRICS_TIMEOUT_MS} ms\n`);
    return;
  }
  const families = [...reply.families, ...gatewayFamilies(sources), ...processFamilies(node.clock)];
  const type = { 'content-type': METRICS_TEXT_TYPE };
  answerWith(exchange, 200, type, metricsText(families));
}

function gatewayFamilies({ node, meters, traffic, healthCounts }: MetricsSources): MetricFamily[] {
  const one = (name: string, help: string, label: string, value: string): MetricFamily =>
    gauge(name, help, [{ labels: [[label, value]], value: 1 }]);
  const { receivedBytes, sentBytes } = traffic.total();
  return [
    one('etcd_server_version', 'The version of etcd stood for.', 'server_version', ETCD_VERSION),
    one('etcd_cluster_version', 'Likewise.', 'cluster_version', ETCD_CLUSTER_VERSION),
    one('etcd_server_id', 'The member.', 'server_id', node.memberId.toString(16)),
    counter(
      'etcd_network_client_grpc_received_bytes_total',
      'Bytes from clients of the gateway.',
      receivedBytes,
    ),
    counter(
      'etcd_network_client_grpc_sent_bytes_total',
      'Bytes to clients of the gateway.',
      sentBytes,
    ),
    gauge('kvorum_gateway_connections', 'Connections of clients.', traffic.connectionCount),
    counter(
      'kvorum_gateway_connections_refused_total',
      'Connections closed at once: too many.',
      traffic.refusedCount,
    ),
    gauge('kvorum_gateway_calls', 'Unary calls under way.', meters.unaryUnderWay),
    counter('etcd_server_health_success', 'Checks of health passed.', healthCounts.passed),
    counter('etcd_server_health_failures', 'Checks of health failed.', healthCounts.failed),
    ...meters.families(),
  ];
}
