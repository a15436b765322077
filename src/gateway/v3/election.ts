/** etcd's Election: who leads under a name, on behalf of its client. */

import { GrpcCode } from '../../../include/gateway.ts';
import { EventKind, NO_RANGE_END, OpKind, type TxnOpResult } from '../../../include/kvstore.ts';
import type { ReplyHeader } from '../../../include/rpc.ts';
import { prefixEnd } from '../../client/requests.ts';
import { type Call, RpcError } from '../calls/call.ts';
import type { Methods } from '../calls/methods.ts';
import type { NodeClient } from '../node-client.ts';
import type { KeyValue } from '../schema/mvccpb.ts';
import {
  type CampaignRequest,
  type CampaignResponse,
  ElectionService,
  type LeaderKey,
  type LeaderResponse,
} from '../schema/v3election.ts';
import {
  contenderOf,
  contest,
  deleteOp,
  getOp,
  ifCreatedAt,
  prefixOf,
  putOp,
  readOldest,
  waitForElders,
  watchFrom,
} from './contest.ts';
import { pairOf } from './kv-responses.ts';

/** Adds the service. */
export function addElection(methods: Methods, node: NodeClient): void {
  methods.unary(ElectionService.Campaign, (request, call) => {
    contest(call, () => campaign(node, request, call));
  });
  methods.unary(ElectionService.Proclaim, (request, call) => {
    contest(call, async () => {
      const head = await proclaim(node, leaderOf(request.leader), request.value);
      call.answer({ header: node.header(head) });
    });
  });
  methods.unary(ElectionService.Leader, (request, call) => {
    contest(call, async () => call.answer(await leader(node, request.name)));
  });
  methods.unary(ElectionService.Observe, (request, call) => {
    contest(call, () => observe(node, request.name, call));
  });
  methods.unary(ElectionService.Resign, (request, call) => {
    contest(call, async () => {
      const head = await resign(node, leaderOf(request.leader));
      call.answer({ header: node.header(head) });
    });
  });
}

async function campaign(
  node: NodeClient,
  request: CampaignRequest,
  call: Call<CampaignResponse>,
): Promise<void> {
  const { name, value } = request;
  const { prefix, key, lease } = await contenderOf(node, name, request.lease);
  const claim = await ifCreatedAt(node, key, 0, [putOp(key, value, lease)], [getOp(key)]);
  const own = pairIn(claim.results[0]);
  const rev = own?.createRevision ?? claim.revision;
  const leader = { name, key, rev, lease };
  if (own !== undefined && !own.value.equals(value)) await proclaim(node, leader, value);
  await waitForElders(node, prefix, rev - 1, call);
  if (call.isEnded) await resign(node, leader);
  else call.answer({ header: node.header(claim), leader });
}

async function proclaim(node: NodeClient, leader: LeaderKey, value: Buffer): Promise<ReplyHeader> {
  const { key, rev, lease } = leader;
  const reply = await ifCreatedAt(node, key, rev, [putOp(key, value, lease)]);
  if (reply.succeeded) return reply;
  throw new RpcError(GrpcCode.Unknown, 'election: not leader');
}

async function leader(node: NodeClient, name: Buffer): Promise<LeaderResponse> {
  const look = await readOldest(node, prefixOf(name));
  const kv = look.kvs[0];
  if (kv === undefined) throw new RpcError(GrpcCode.Unknown, 'election: no leader');
  return { header: node.header(look), kv: pairOf(kv) };
}

function resign(node: NodeClient, { key, rev }: LeaderKey): Promise<ReplyHeader> {
  return ifCreatedAt(node, key, rev, [deleteOp(key)]);
}

/** Sends who leads, each change of what the leader says, and each new leader. */
async function observe(node: NodeClient, name: Buffer, call: Call<LeaderResponse>): Promise<void> {
  const prefix = prefixOf(Buffer.from(name));
  const send = (header: ReplyHeader['revision'], kv: KeyValue): void =>
    call.send({ header: node.headerAt(header), kv });
  while (!call.isEnded) {
    const look = await readOldest(node, prefix);
    const found = look.kvs[0];
    let { revision } = look;
    let key = found?.key;
    if (found !== undefined) send(revision, pairOf(found));
    const end = key === undefined ? prefixEnd(prefix) : NO_RANGE_END;
    const watch = watchFrom(node, Buffer.from(key ?? prefix), end, revision + 1);
    call.onEnded = () => void watch.close();
    if (call.isEnded) await watch.close();
    for await (const { events } of watch) {
      const put = events.find((event) => event.kind === EventKind.Put);
      if (key === undefined && put === undefined) continue;
      if (key === undefined) break; // the first one: it is read as the oldest
      let isGone = false;
      for (const { kind, kv } of events) {
        revision = kv.modRevision;
        if (kind === EventKind.Delete) isGone = true;
        else send(revision, pairOf(kv));
      }
      if (isGone) key = undefined;
      if (isGone) break;
    }
  }
}

/** The leader that a request names. */
function leaderOf(leader: LeaderKey | undefined): LeaderKey {
  if (leader !== undefined) return leader;
  throw new RpcError(GrpcCode.Unknown, '"leader" field must be provided');
}

function pairIn(result: TxnOpResult | undefined) {
  return result?.kind === OpKind.Range ? result.result.kvs[0] : undefined;
}
