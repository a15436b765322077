/** Which members a node cannot reach, by its own status: why it cannot serve. */

import type { NodeStatus } from '../../include/node.ts';
import { formatEndpoint } from './endpoint.ts';

/**
 * Names the peers that are offline, `node 1 at 127.0.0.1:7002 and node 2 at …`; empty when none is.
 */
export function unreachedPeers(status: NodeStatus): string {
  return status.peers
    .filter((peer) => !peer.isOnline)
    .map((peer) => `node ${peer.id} at ${formatEndpoint(peer.address, peer.port)}`)
    .join(' and ');
}
