/**
 * Headers and pairs as etcdctl's Go encoder prints them, shared by what prints JSON. One exception:
 * a node id is always there, since 0 is a node here.
 */

import type { KeyValue } from '../../../include/kvstore.ts';
import type { ReplyHeader } from '../../../include/rpc.ts';
import { type Json, unlessEmpty } from './json.ts';

/** The members of a reply's header. */
export function headerJson(reply: ReplyHeader) {
  return {
    cluster_id: unlessEmpty(reply.clusterId),
    member_id: reply.nodeId,
    revision: unlessEmpty(reply.revision),
    raft_term: unlessEmpty(reply.term),
  };
}

/** A pair, without members of value zero. */
export function pairJson(each: KeyValue): Json {
  return {
    key: unlessEmpty(each.key),
    create_revision: unlessEmpty(each.createRevision),
    mod_revision: unlessEmpty(each.modRevision),
    version: unlessEmpty(each.version),
    value: unlessEmpty(each.value),
    lease: unlessEmpty(each.lease),
  };
}
