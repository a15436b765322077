/**
 * `-w json`: the answer as etcdctl's Go encoder prints it: fields of value zero left out, numbers
 * as JSON numbers, bytes as base64.
 */

import { NO_NODE } from '../../../include/node.ts';
import { alarmText, createJsonAlarmPrinter } from './alarm-printer.ts';
import { formatGoDuration } from './go-duration.ts';
import { createJsonHistoryPrinter } from './history-printer.ts';
import { type Json, printJson, unlessEmpty } from './json.ts';
import { headerJson, pairJson } from './json-parts.ts';
import { createJsonLeasePrinter } from './lease-printer.ts';
import { createJsonMemberPrinter } from './member-printer.ts';
import type { ClusterPrinter, KeyPrinter, Output, Printer } from './printer.ts';
import { createJsonSnapshotPrinter } from './snapshot-printer.ts';
import { createJsonTxnPrinter } from './txn-printer.ts';
import { createJsonWatchPrinter } from './watch-printer.ts';

/** Makes the printer of the JSON format. */
export function createJsonPrinter(output: Output): Printer {
  const print = (value: Json): void => output(`${printJson(value)}\n`);
  return {
    refused: [],
    ...createKeyPrinter(print),
    ...createJsonTxnPrinter(output),
    ...createJsonWatchPrinter(output),
    ...createJsonHistoryPrinter(output),
    ...createJsonLeasePrinter(output),
    ...createJsonAlarmPrinter(print),
    ...createJsonMemberPrinter(print),
    ...createJsonSnapshotPrinter(print),
    ...createClusterPrinter(print),
  };
}

function createKeyPrinter(print: (value: Json) => void): KeyPrinter {
  return {
    put: (reply) => {
      const prevKv = reply.prevKv;
      const previous = prevKv === undefined ? undefined : pairJson(prevKv);
      print({ header: headerJson(reply), prev_kv: previous });
    },
    range: (reply) =>
      print({
        header: headerJson(reply),
        kvs: unlessEmpty(reply.kvs.map(pairJson)),
        more: unlessEmpty(reply.more),
        count: unlessEmpty(reply.count),
      }),
    delete: (reply) =>
      print({
        header: headerJson(reply),
        deleted: unlessEmpty(reply.deleted),
        prev_kvs: unlessEmpty(reply.prevKvs.map(pairJson)),
      }),
  };
}

function createClusterPrinter(print: (value: Json) => void): ClusterPrinter {
  return {
    moveLeader: (reply) => print({ header: headerJson(reply) }),
    endpointStatus: (statuses) =>
      print(
        statuses.map(({ endpoint, status }) => ({
          Endpoint: endpoint,
          Status: {
            header: headerJson(status),
            version: unlessEmpty(status.version),
            dbSize: unlessEmpty(status.dbSizeBytes),
            leader: status.leader === NO_NODE ? undefined : status.leader,
            raftIndex: unlessEmpty(status.lastIndex),
            raftTerm: unlessEmpty(status.term),
            raftAppliedIndex: unlessEmpty(status.appliedIndex),
            errors: unlessEmpty(status.alarms.map(alarmText)),
            dbSizeInUse: unlessEmpty(status.dbSizeInUseBytes),
            dbSizeQuota: unlessEmpty(status.quotaBytes),
            isLearner: unlessEmpty(status.isLearner),
          },
        })),
      ),
    endpointHash: (hashes) =>
      print(
        hashes.map(({ endpoint, reply }) => ({
          Endpoint: endpoint,
          HashKV: {
            header: headerJson(reply),
            hash: unlessEmpty(reply.hash),
            compact_revision: unlessEmpty(reply.compactRevision),
            hash_revision: unlessEmpty(reply.hashRevision),
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
