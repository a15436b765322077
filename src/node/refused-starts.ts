/** Directories that a node must not start from, although they are whole. */

import { FaultKind, NodeFault, type NodeId } from '../../include/node.ts';
import { PROTOCOL_VERSION } from '../../include/rpc.ts';
import type { Store } from '../kvstore/store.ts';
import { wasRemoved } from './roster.ts';

/** Who is about to start. */
export type Starting = {
  readonly id: NodeId;
  readonly dataDir: string;
  readonly protocolVersion?: number;
};

/** @throws NodeFault when what it has applied says that it was removed */
export function refuseRemoved(options: Starting, store: Store): void {
  if (wasRemoved(store.applied().configuration, options.id)) throw removedFault(options);
}

/** @throws NodeFault when its cluster has left the version that it speaks behind */
export function refuseNewer(
  { protocolVersion = PROTOCOL_VERSION, dataDir }: Starting,
  store: Store,
): void {
  const version = store.clusterVersion();
  if (version <= protocolVersion) return;
  const what = `the cluster speaks protocol version ${version}, this node ${protocolVersion}`;
  const remedy = 'run the release that ran here last, or a newer one';
  throw new NodeFault(FaultKind.DirectoryNewer, what, { path: dataDir, remedy });
}

/** What a member that was removed is told, when it starts and when it runs. */
export function removedFault({ id, dataDir }: Starting): NodeFault {
  return new NodeFault(FaultKind.MemberRemoved, `node ${id} was removed from the cluster`, {
    path: dataDir,
    remedy: 'delete the directory; to bring the machine back, join it as a new member',
  });
}
