/** Who is in a cluster and how each is: asks every endpoint, then every peer that those report. */

import type { Client } from '../../include/client.ts';
import type { NodeId } from '../../include/node.ts';
import { KvorumError, type StatusReply } from '../../include/rpc.ts';
import { formatEndpoint } from './endpoint.ts';

/** One node, as far as it is known. */
export type SurveyedNode = {
  /** Where it was asked. */
  readonly endpoint: string;
  /** Undefined when neither it nor a peer said. */
  readonly nodeId: NodeId | undefined;
  /** What it answered; undefined when it did not. */
  readonly status: StatusReply | undefined;
  /** Why it did not answer; empty when it did. */
  readonly error: string;
};

/** Most nodes asked: more than any cluster has, so that a node that lies cannot keep us busy. */
const SURVEYED_MAX = 512;

/**
 * Asks all nodes that can be found, at most once each.
 *
 * @returns ascending by node id, those without one last
 */
export async function surveyCluster(client: Client): Promise<readonly SurveyedNode[]> {
  const found: SurveyedNode[] = [];
  const asked = new Set<string>();
  const idOf = new Map<string, NodeId>();
  let wave = [...client.endpoints];
  while (wave.length > 0) {
    for (const endpoint of wave) asked.add(endpoint);
    const answers = await Promise.all(wave.map((endpoint) => ask(client, endpoint)));
    const next = new Set<string>();
    for (const answer of answers) {
      found.push(answer);
      for (const peer of answer.status?.peers ?? []) {
        const endpoint = formatEndpoint(peer.address, peer.port);
        idOf.set(endpoint, peer.id);
        if (!asked.has(endpoint) && !isKnown(found, peer.id)) next.add(endpoint);
      }
    }
    const room = SURVEYED_MAX - asked.size;
    wave = [...next].filter((each) => !isKnown(found, idOf.get(each))).slice(0, room);
  }

  const named = found.map((node) => ({ ...node, nodeId: node.nodeId ?? idOf.get(node.endpoint) }));
  return withoutDoubles(named).sort(
    (a, b) => (a.nodeId ?? Number.MAX_VALUE) - (b.nodeId ?? Number.MAX_VALUE),
  );
}

async function ask(client: Client, endpoint: string): Promise<SurveyedNode> {
  try {
    const status = await client.status({ endpoint });
    return { endpoint, nodeId: status.nodeId, status, error: '' };
  } catch (failure) {
    if (!(failure instanceof KvorumError)) throw failure;
    return { endpoint, nodeId: undefined, status: undefined, error: failure.message };
  }
}

/** Whether a node with this id has answered. */
function isKnown(nodes: readonly SurveyedNode[], nodeId: NodeId | undefined): boolean {
  return nodeId !== undefined && nodes.some((node) => node.nodeId === nodeId);
}

/** One entry a node: two endpoints may be two names of one node. */
function withoutDoubles(nodes: readonly SurveyedNode[]): SurveyedNode[] {
  const answered = new Set<NodeId>();
  for (const node of nodes) if (node.status !== undefined) answered.add(node.status.nodeId);

  const taken = new Set<NodeId>();
  return nodes.filter((node) => {
    if (node.nodeId === undefined) return true;
    if (node.status === undefined && answered.has(node.nodeId)) return false;
    if (taken.has(node.nodeId)) return false;
    taken.add(node.nodeId);
    return true;
  });
}
