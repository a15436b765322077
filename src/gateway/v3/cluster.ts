/** etcd's Cluster: who the members are, and changing that. */

import {
  MemberGoal,
  type MemberRecord,
  NO_NODE,
  type NodeId,
  type Roster,
} from '../../../include/node.ts';
import {
  ErrorCode,
  FrameType,
  KvorumError,
  type MemberStep,
  MemberStepKind,
  type MembersReport,
  type ReplyHeader,
} from '../../../include/rpc.ts';
import { formatEndpoint, parseEndpoint } from '../../client/endpoint.ts';
import type { Methods } from '../calls/methods.ts';
import { memberIdOf } from '../member-id.ts';
import type { NodeClient } from '../node-client.ts';
import { ClusterService, type Member } from '../schema/cluster.ts';
import type { ResponseHeader } from '../schema/header.ts';

const NO_STEP: Omit<MemberStep, 'kind'> = {
  id: NO_NODE,
  name: '',
  address: '',
  port: 0,
  clientPort: 0,
  isLearner: false,
};

/** Adds the service. */
export function addCluster(methods: Methods, node: NodeClient): void {
  methods.answering(ClusterService.MemberList, async ({ linearizable }) => {
    const body = { serializable: !linearizable };
    const reply = await node.request({ type: FrameType.MemberList, body });
    return { header: headerOf(node, reply), members: membersOf(node, reply) };
  });
  methods.answering(ClusterService.MemberAdd, async ({ peerURLs, isLearner }) => {
    const step = { ...NO_STEP, kind: MemberStepKind.Add, ...placeOf(peerURLs), isLearner };
    const reply = await change(node, step);
    const members = membersOf(node, reply);
    const id = memberIdOf(node.clusterId, reply.added[0] ?? NO_NODE);
    const member = members.find((each) => each.ID === id);
    return { header: headerOf(node, reply), member, members };
  });
  methods.answering(ClusterService.MemberRemove, async ({ ID: id }) => {
    const kind = MemberStepKind.Remove;
    const reply = await change(node, { ...NO_STEP, kind, id: await nodeIdOf(node, id) });
    return { header: headerOf(node, reply), members: membersOf(node, reply) };
  });
  methods.answering(ClusterService.MemberUpdate, async ({ ID: id, peerURLs }) => {
    const kind = MemberStepKind.Update;
    const named = { ...NO_STEP, kind, id: await nodeIdOf(node, id) };
    const reply = await change(node, { ...named, ...placeOf(peerURLs) });
    return { header: headerOf(node, reply), members: membersOf(node, reply) };
  });
  methods.answering(ClusterService.MemberPromote, async ({ ID: id }) => {
    const kind = MemberStepKind.Promote;
    const reply = await change(node, { ...NO_STEP, kind, id: await nodeIdOf(node, id) });
    return { header: headerOf(node, reply), members: membersOf(node, reply) };
  });
}

/** The node that etcd's clients call by this id. @throws KvorumError MemberNotFound */
export async function nodeIdOf(node: NodeClient, memberId: bigint): Promise<NodeId> {
  const reply = await node.request({ type: FrameType.MemberList, body: { serializable: true } });
  const isMeant = ({ id }: MemberRecord): boolean => memberIdOf(node.clusterId, id) === memberId;
  const found = rosterOf(reply).members.find(isMeant);
  if (found === undefined) throw new KvorumError(ErrorCode.MemberNotFound);
  return found.id;
}

function change(node: NodeClient, step: MemberStep) {
  return node.request({ type: FrameType.MemberChange, body: { steps: [step], force: false } });
}

/** What these methods say of the cluster: no revision. */
function headerOf(node: NodeClient, reply: ReplyHeader): ResponseHeader {
  return { ...node.header(reply), revision: 0 };
}

/** Members as etcd says them, ascending by id. */
function membersOf(node: NodeClient, reply: MembersReport): Member[] {
  return rosterOf(reply)
    .members.map((record) => memberOf(node.clusterId, record, reply))
    .sort((a, b) => (a.ID < b.ID ? -1 : 1));
}

function memberOf(clusterId: bigint, record: MemberRecord, reply: MembersReport): Member {
  const { id, name, address, port, clientPort, goal } = record;
  return {
    ID: memberIdOf(clusterId, id),
    name,
    peerURLs: [`http://${formatEndpoint(address, port)}`],
    clientURLs: clientPort === undefined ? [] : [`http://${formatEndpoint(address, clientPort)}`],
    isLearner: goal === MemberGoal.Learner || reply.configuration.learners.includes(id),
  };
}

function rosterOf({ configuration }: MembersReport): Roster {
  return configuration.roster ?? { nextId: 0, members: [] };
}

/**
 * Where a member is, by etcd's peer URLs: a node has one, and peers do not speak TLS.
 *
 * @throws KvorumError InvalidPeerUrl
 */
function placeOf(urls: readonly string[]): { address: string; port: number } {
  try {
    const [first] = urls.map((url) => {
      if (!url.startsWith('http://')) throw new KvorumError(ErrorCode.InvalidPeerUrl);
      return parseEndpoint(url);
    });
    if (first === undefined) throw new KvorumError(ErrorCode.InvalidPeerUrl);
    return { address: first.host, port: first.port };
  } catch {
    throw new KvorumError(ErrorCode.InvalidPeerUrl);
  }
}
