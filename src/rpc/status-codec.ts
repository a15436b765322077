/** How a node is: the answer to a status request. Byte table: docs/PROTOCOL.md 6. */

import type { NodeStatus, PeerStatus, Role } from '../../include/node.ts';
import { putAlarms, readAlarms } from './alarm-codec.ts';
import type { BodyReader } from './body-reader.ts';
import type { FrameWriter } from './frame-writer.ts';

/** Bytes of a peer in a status besides its address: id, flags, port, four numbers, length. */
const PEER_BYTES_MIN = 41;

const ROLE_MAX = 3;
const PEER_ONLINE = 1;
const PEER_LEARNER = 2;
const PEER_BITS = 3;

/** Puts a status into the open frame. */
export function putStatus(writer: FrameWriter, status: NodeStatus): void {
  writer.id64(status.clusterId);
  writer.node(status.nodeId);
  writer.text(status.version);
  writer.u16(status.protocolVersion);
  writer.u16(status.clusterVersion);
  writer.u8(status.role);
  writer.flag(status.isLearner);
  writer.node(status.leader);
  writer.u64(status.term);
  writer.u64(status.lastIndex);
  writer.u64(status.commitIndex);
  writer.u64(status.appliedIndex);
  writer.u64(status.revision);
  writer.u64(status.compactRevision);
  writer.u64(status.dbSizeBytes);
  writer.u64(status.dbSizeInUseBytes);
  writer.u64(status.quotaBytes);
  putAlarms(writer, status.alarms);
  writer.u32(status.peers.length);
  for (const peer of status.peers) putPeer(writer, peer);
}

/** Reads a status. @throws KvorumError FrameMalformed */
export function readStatus(body: BodyReader): NodeStatus {
  return {
    clusterId: body.id64('cluster id'),
    nodeId: body.node('node id'),
    version: body.text('version'),
    protocolVersion: body.u16('protocol version'),
    clusterVersion: body.u16('cluster version'),
    role: body.choice('role', ROLE_MAX) as Role,
    isLearner: body.flag('is learner'),
    leader: body.nodeOrNone('leader'),
    term: body.u64('term'),
    lastIndex: body.u64('last index'),
    commitIndex: body.u64('commit index'),
    appliedIndex: body.u64('applied index'),
    revision: body.u64('revision'),
    compactRevision: body.u64('compact revision'),
    dbSizeBytes: body.u64('database size'),
    dbSizeInUseBytes: body.u64('database size in use'),
    quotaBytes: body.u64('quota'),
    alarms: readAlarms(body),
    peers: readPeers(body),
  };
}

function putPeer(writer: FrameWriter, peer: PeerStatus): void {
  writer.node(peer.id);
  writer.u8((peer.isOnline ? PEER_ONLINE : 0) | (peer.isLearner ? PEER_LEARNER : 0));
  writer.u16(peer.port);
  writer.u64(Math.round(peer.roundTripMicros));
  writer.u64(peer.matchIndex);
  writer.u64(peer.snapshotSentBytes);
  writer.u64(peer.snapshotSizeBytes);
  writer.text(peer.address);
}

function readPeers(body: BodyReader): readonly PeerStatus[] {
  const count = body.count('peers', PEER_BYTES_MIN);
  const peers: PeerStatus[] = [];
  for (let slot = 0; slot < count; slot += 1) {
    const id = body.node('peer id');
    const bits = body.bits('peer flags', PEER_BITS);
    const port = body.u16('peer port');
    const roundTripMicros = body.u64('peer round trip');
    const matchIndex = body.u64('peer match index');
    const snapshotSentBytes = body.u64('snapshot sent');
    const snapshotSizeBytes = body.u64('snapshot size');
    const address = body.text('peer address');
    const isOnline = (bits & PEER_ONLINE) !== 0;
    const isLearner = (bits & PEER_LEARNER) !== 0;
    peers.push({
      id,
      address,
      port,
      isOnline,
      isLearner,
      roundTripMicros,
      matchIndex,
      snapshotSentBytes,
      snapshotSizeBytes,
    });
  }
  return peers;
}
