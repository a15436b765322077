/**
 * The library, what `import … from 'kvorum'` gives: the client with its recipes, and a node to
 * embed.
 *
 * Who only uses the client loads nothing of a node: that comes with the first createNode.
 */

import type { CreateNodeOptions, EmbeddedNode } from '../include/embed.ts';
import { NO_LOG } from '../include/log.ts';
import type { ClusterConfig, NodeConfig } from '../include/node.ts';
import manifest from '../package.json' with { type: 'json' };
import { connect } from './client/connect.ts';
import { formatEndpoint } from './client/endpoint.ts';
import { createSystemClock } from './clock.ts';
import { type OpenStream, openTcp } from './rpc/dial.ts';

export * from '../include/embed.ts';
export { type Log, type LogEvent, type LogFields, NO_LOG } from '../include/log.ts';
export { FaultKind, NodeFault, type NodeId, type NodeStatus, Role } from '../include/node.ts';
export * from '../include/recipes.ts';
export * from './client/connect.ts';
export { createBarrier } from './client/recipes/barrier.ts';
export { createDoubleBarrier } from './client/recipes/double-barrier.ts';
export { createElection } from './client/recipes/election.ts';
export { createLock } from './client/recipes/lock.ts';
export { createQueue } from './client/recipes/queue.ts';
export { registerService, resolveService, watchService } from './client/recipes/services.ts';
export { transact } from './client/recipes/transact.ts';

/** The cluster of a node that is alone. Part of its directory's identity: never changed. */
const ALONE = '0 embedded 1';

/**
 * Starts a node in this process.
 *
 * @throws NodeFault, StoreError, KvorumError (as rejection): what was wrong, where, and what to do
 */
export async function createNode(options: CreateNodeOptions): Promise<EmbeddedNode> {
  const { startNode } = await import('./node/node.ts');
  const { nodeOf, parseNodesConf } = await import('./node/nodes-conf.ts');
  const { id = 0, dataDir, heartbeatMs, electionMs, log = NO_LOG } = options;
  const cluster: ClusterConfig = parseNodesConf('cluster', clusterText(options));
  const self = nodeOf(cluster, id);
  const node = await startNode({
    id,
    cluster,
    dataDir,
    version: manifest.version,
    clock: createSystemClock(),
    log,
    onFatal: options.onFatal ?? throwUncaught,
    listens: options.cluster !== undefined,
    ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
    ...(electionMs === undefined ? {} : { electionMs }),
  });
  const openStream = wayWithin(self, node.openStream);
  const endpoints = [formatEndpoint(self.address, self.port)];
  return {
    id,
    client: (how = {}) => connect({ ...how, endpoints }, { openStream }),
    stop: () => node.stop(),
  };
}

/** The cluster as a nodes.conf would say it, so that one parser judges all. */
function clusterText({ cluster = ALONE }: CreateNodeOptions): string {
  if (typeof cluster === 'string') return cluster;
  return cluster
    .map(({ id, address, port, role = 'voter' }) => `${id} ${address} ${port} role=${role}`)
    .join('\n');
}

/** The own node is reached within the process, others over the network. */
function wayWithin(self: NodeConfig, openWithin: () => ReturnType<OpenStream>): OpenStream {
  return (address, port) =>
    address === self.address && port === self.port ? openWithin() : openTcp(address, port);
}

function throwUncaught(cause: unknown): void {
  setImmediate(() => {
    throw cause;
  });
}
