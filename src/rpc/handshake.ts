/**
 * Whether two processes may talk: what each side demands of the other's HELLO. Pure; the magic and
 * the lowest version are the decoder's (decodeHello). Rules: docs/PROTOCOL.md 3.
 */

import { NO_NODE, type NodeId } from '../../include/node.ts';
import {
  ConnectionRole,
  ErrorCode,
  type Hello,
  KvorumError,
  PROTOCOL_VERSION_MIN,
} from '../../include/rpc.ts';

/**
 * Checks the HELLO of whoever connected to this node.
 *
 * @param clusterId of this node
 * @param nodeId of this node
 * @param wasRemoved whether a node was a member and is none any more
 * @param clusterVersion what a member must speak
 * @throws KvorumError ClusterMismatch, NodeMismatch, RoleRefused, MemberRemoved, VersionMismatch
 */
export function checkCaller(
  hello: Hello,
  clusterId: bigint,
  nodeId: NodeId,
  wasRemoved: (nodeId: NodeId) => boolean,
  clusterVersion: number = PROTOCOL_VERSION_MIN,
): void {
  const isClient = hello.role === ConnectionRole.Client;
  if (hello.clusterId !== clusterId && !(isClient && hello.clusterId === 0n)) {
    const why = `node ${nodeId} belongs to another cluster: compare the nodes.conf of both`;
    throw new KvorumError(ErrorCode.ClusterMismatch, why);
  }
  if (hello.targetId !== nodeId && !(isClient && hello.targetId === NO_NODE)) {
    const why = `this is node ${nodeId}, not ${hello.targetId}: check nodes.conf`;
    throw new KvorumError(ErrorCode.NodeMismatch, why);
  }
  if (isClient) {
    if (hello.nodeId === NO_NODE) return;
    throw new KvorumError(ErrorCode.RoleRefused, `a client is no node, so not ${hello.nodeId}`);
  }
  if (hello.nodeId === NO_NODE || hello.nodeId === nodeId) {
    const why = `node ${hello.nodeId} is no peer of node ${nodeId}: check nodes.conf`;
    throw new KvorumError(ErrorCode.RoleRefused, why);
  }
  if (wasRemoved(hello.nodeId)) throw new KvorumError(ErrorCode.MemberRemoved);
  if (hello.version < clusterVersion) {
    const why = `node ${hello.nodeId} speaks protocol version ${hello.version}`;
    const rule = `all members of this cluster speak ${clusterVersion}: upgrade it`;
    throw new KvorumError(ErrorCode.VersionMismatch, `${why}, ${rule}`);
  }
}

/**
 * Checks the HELLO of the node that was dialled.
 *
 * @param said what this side said; its cluster 0n or target NO_NODE accept any
 * @param remote `address:port` of the node
 * @throws KvorumError ClusterMismatch, NodeMismatch, RoleRefused
 */
export function checkAnswer(said: Hello, heard: Hello, remote: string): void {
  if (said.clusterId !== 0n && heard.clusterId !== said.clusterId) {
    const why = `${remote} belongs to another cluster: compare the nodes.conf of both`;
    throw new KvorumError(ErrorCode.ClusterMismatch, why);
  }
  if (heard.nodeId === NO_NODE || (said.targetId !== NO_NODE && heard.nodeId !== said.targetId)) {
    const why = `${remote} is node ${heard.nodeId}, not ${said.targetId}: check nodes.conf`;
    throw new KvorumError(ErrorCode.NodeMismatch, why);
  }
  if (heard.role !== said.role || heard.targetId !== said.nodeId) {
    const why = `${remote} took this side for role ${heard.role}, node ${heard.targetId}`;
    throw new KvorumError(ErrorCode.RoleRefused, why);
  }
}
