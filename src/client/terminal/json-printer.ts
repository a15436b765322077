/**
 * `-w json`: the answer as etcdctl's Go encoder prints it: fields of value zero left out, numbers
 * as JSON numbers, bytes as base64. One exception: a node id is always there, since 0 is a node
 * here.
 */

import type { KeyValue } from '../../../include/kvstore.ts';
import { NO_NODE } from '../../../include/node.ts';
import type { ReplyHeader } from '../../../include/rpc.ts';
import { formatGoDuration } from './go-duration.ts';
import { type Json, printJson, unlessEmpty } from './json.ts';
import type { Output, Printer } from './printer.ts';

/** Makes the printer of the JSON format. */
export function createJsonPrinter(output: Output): Printer {
  const print = (value: Json): void => output(`${printJson(value)}\n`);
  return {
    refused: [],
    put: (reply) => {
      const prevKv = reply.prevKv;
      print({ header: header(reply), prev_kv: prevKv === undefined ? undefined : pair(prevKv) });
    },
    range: (reply) =>
      print({
        header: header(reply),
        kvs: unlessEmpty(reply.kvs.map(pair)),
        more: unlessEmpty(reply.more),
        count: unlessEmpty(reply.count),
      }),
    delete: (reply) =>
      print({
        header: header(reply),
        deleted: unlessEmpty(reply.deleted),
        prev_kvs: unlessEmpty(reply.prevKvs.map(pair)),
      }),
    moveLeader: (reply) => print({ header: header(reply) }),
    endpointStatus: (statuses) =>
      print(
        statuses.map(({ endpoint, status }) => ({
          Endpoint: endpoint,
          Status: {
            header: header(status),
            version: unlessEmpty(status.version),
            dbSize: unlessEmpty(status.dbSizeBytes),
            leader: status.leader === NO_NODE ? undefined : status.leader,
            raftIndex: unlessEmpty(status.lastIndex),
            raftTerm: unlessEmpty(status.term),
            raftAppliedIndex: unlessEmpty(status.appliedIndex),
            dbSizeInUse: unlessEmpty(status.dbSizeInUseBytes),
            isLearner: unlessEmpty(status.isLearner),
          },
        })),
      ),
    endpointHealth: (healths) =>
      print(
        healths.map(({ endpoint, isHealthy, tookMs, error }) => ({
          endpoint,
          health: isHealthy,
          took: formatGoDuration(tookMs),
          error: unlessEmpty(error),
        })),
      ),
  };
}

function header(reply: ReplyHeader): Json {
  return {
    cluster_id: unlessEmpty(reply.clusterId),
    member_id: reply.nodeId,
    revision: unlessEmpty(reply.revision),
    raft_term: unlessEmpty(reply.term),
  };
}

function pair(each: KeyValue): Json {
  return {
    key: unlessEmpty(each.key),
    create_revision: unlessEmpty(each.createRevision),
    mod_revision: unlessEmpty(each.modRevision),
    version: unlessEmpty(each.version),
    value: unlessEmpty(each.value),
    lease: unlessEmpty(each.lease),
  };
}
