/** Nodes as etcd names them: ids of 64 bits, never 0, that stay the same for a node's life. */

import { createHash } from 'node:crypto';
import { NO_NODE, type NodeId } from '../../include/node.ts';

const made: Map<string, bigint> = new Map();

/** The member's id of a node; 0n for NO_NODE. */
export function memberIdOf(clusterId: bigint, nodeId: NodeId): bigint {
  if (nodeId === NO_NODE) return 0n;
  const name = `${clusterId} ${nodeId}`;
  const known = made.get(name);
  if (known !== undefined) return known;
  const id = createHash('sha1').update(name).digest().readBigUInt64BE(0) || 1n;
  made.set(name, id);
  return id;
}
