import t from 'tap';
import { NO_NODE } from '../../include/node.ts';
import { ConnectionRole, ErrorCode, type Hello, PROTOCOL_VERSION } from '../../include/rpc.ts';
import { checkAnswer, checkCaller } from '../../src/rpc/handshake.ts';

const CLUSTER = 0xfeed_0000_0000_0001n;
const SELF = 1;
const client: Hello = {
  version: PROTOCOL_VERSION,
  role: ConnectionRole.Client,
  clusterId: 0n,
  nodeId: NO_NODE,
  targetId: NO_NODE,
};
const peer: Hello = {
  version: PROTOCOL_VERSION,
  role: ConnectionRole.Peer,
  clusterId: CLUSTER,
  nodeId: 2,
  targetId: SELF,
};

const callers: readonly (readonly [string, Hello, ErrorCode | undefined])[] = [
  ['a client of any cluster', client, undefined],
  ['a client of this cluster', { ...client, clusterId: CLUSTER }, undefined],
  ['a client of another cluster', { ...client, clusterId: 5n }, ErrorCode.ClusterMismatch],
  ['a client that means this node', { ...client, targetId: SELF }, undefined],
  ['a client that means another node', { ...client, targetId: 2 }, ErrorCode.NodeMismatch],
  ['a client that is a node', { ...client, nodeId: 2 }, ErrorCode.RoleRefused],
  ['a peer', peer, undefined],
  ['a peer with a snapshot', { ...peer, role: ConnectionRole.Snapshot }, undefined],
  ['a peer of any cluster', { ...peer, clusterId: 0n }, ErrorCode.ClusterMismatch],
  ['a peer of another cluster', { ...peer, clusterId: 5n }, ErrorCode.ClusterMismatch],
  ['a peer that means any node', { ...peer, targetId: NO_NODE }, ErrorCode.NodeMismatch],
  ['a peer that means another node', { ...peer, targetId: 3 }, ErrorCode.NodeMismatch],
  ['a peer without a number', { ...peer, nodeId: NO_NODE }, ErrorCode.RoleRefused],
  ['a peer with the number of this node', { ...peer, nodeId: SELF }, ErrorCode.RoleRefused],
  ['a peer that was removed', { ...peer, nodeId: 9 }, ErrorCode.MemberRemoved],
];
for (const [name, hello, code] of callers) {
  t.test(`${name} is ${code === undefined ? 'accepted' : 'refused'}`, async (t) => {
    const check = (): void => checkCaller(hello, CLUSTER, SELF, (id) => id === 9);
    if (code === undefined) t.doesNotThrow(check);
    else t.throws(check, { code });
  });
}

const answer: Hello = { ...peer, nodeId: SELF, targetId: 2 };
const answers: readonly (readonly [string, Hello, Hello, ErrorCode | undefined])[] = [
  ['the node meant', peer, answer, undefined],
  ['another node', peer, { ...answer, nodeId: 3 }, ErrorCode.NodeMismatch],
  ['another cluster', peer, { ...answer, clusterId: 5n }, ErrorCode.ClusterMismatch],
  ['a node that heard another role', peer, { ...answer, role: 0 }, ErrorCode.RoleRefused],
  ['a node that heard another node', peer, { ...answer, targetId: 4 }, ErrorCode.RoleRefused],
  ['any node', client, { ...client, clusterId: 5n, nodeId: 3 }, undefined],
  ['no node', client, client, ErrorCode.NodeMismatch],
];
for (const [name, said, heard, code] of answers) {
  t.test(`an answer of ${name} is ${code === undefined ? 'accepted' : 'refused'}`, async (t) => {
    const check = (): void => checkAnswer(said, heard, 'there:1');
    if (code === undefined) t.doesNotThrow(check);
    else t.throws(check, { code });
  });
}
