/** What a member measures about its connections. Made when somebody asks. */

import { type MetricFamily, ROUND_TRIP_SECONDS_BOUNDS } from '../../include/metrics.ts';
import { NO_NODE, type NodeId } from '../../include/node.ts';
import { counter, gauge, histogram } from '../metrics.ts';
import type { PeerLink } from '../rpc/peer-link.ts';
import type { Server } from '../rpc/server.ts';
import { addTraffic } from '../rpc/traffic.ts';

/** Families of the connections of a node. */
export function networkFamilies(
  selfId: NodeId,
  server: Server,
  peers: readonly { readonly id: NodeId; readonly link: PeerLink }[],
): MetricFamily[] {
  const clients = server.trafficOf(NO_NODE);
  return [
    gauge('kvorum_network_connections', 'Connections to the native port.', server.connectionCount),
    counter(
      'kvorum_network_connections_refused_total',
      'Connections refused, for whatever reason.',
      server.refusedCount,
    ),
    counter(
      'kvorum_network_client_received_bytes_total',
      'Bytes from native clients, the gateway included.',
      clients.receivedBytes,
    ),
    counter(
      'kvorum_network_client_sent_bytes_total',
      'Bytes to native clients, the gateway included.',
      clients.sentBytes,
    ),
    ...peerFamilies(selfId, server, peers),
  ];
}

function peerFamilies(
  selfId: NodeId,
  server: Server,
  peers: readonly { readonly id: NodeId; readonly link: PeerLink }[],
): MetricFamily[] {
  const facts = peers.map(({ id, link }) => {
    const traffic = server.trafficOf(id);
    addTraffic(traffic, link.traffic());
    const both = [
      ['Local', String(selfId)],
      ['Remote', String(id)],
    ] as const;
    return {
      to: [['To', String(id)]] as const,
      from: [['From', String(id)]] as const,
      both,
      link,
      traffic,
    };
  });
  return [
    histogram(
      'etcd_network_peer_round_trip_time_seconds',
      'Round trips of pings to a peer.',
      ROUND_TRIP_SECONDS_BOUNDS,
      facts.map(({ to, link }) => link.roundTrips.sample(to)),
    ),
    counter(
      'etcd_network_peer_sent_bytes_total',
      'Bytes sent to a peer.',
      facts.map(({ to, traffic }) => ({ labels: to, value: traffic.sentBytes })),
    ),
    counter(
      'etcd_network_peer_received_bytes_total',
      'Bytes received from a peer.',
      facts.map(({ from, traffic }) => ({ labels: from, value: traffic.receivedBytes })),
    ),
    counter(
      'etcd_network_peer_sent_failures_total',
      'Messages to a peer that could not be sent.',
      facts.map(({ to, link }) => ({ labels: to, value: link.droppedCount })),
    ),
    gauge(
      'etcd_network_active_peers',
      'Whether a peer is reached.',
      facts.map(({ both, link }) => ({ labels: both, value: link.isOnline ? 1 : 0 })),
    ),
    counter(
      'etcd_network_disconnected_peers_total',
      'How often a peer was lost.',
      facts.map(({ both, link }) => ({ labels: both, value: link.offlineCount })),
    ),
  ];
}
