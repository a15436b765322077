/** `-w simple`: what people and shell scripts read. */

import { alarmText, createSimpleAlarmPrinter } from './alarm-printer.ts';
import { formatByteSize } from './byte-size.ts';
import { formatGoDuration } from './go-duration.ts';
import { createSimpleHistoryPrinter } from './history-printer.ts';
import { createSimpleLeasePrinter } from './lease-printer.ts';
import { createSimpleMemberPrinter } from './member-printer.ts';
import { printPair } from './pair-lines.ts';
import {
  type ClusterPrinter,
  type EndpointHash,
  type EndpointStatus,
  hexId,
  type KeyPrinter,
  type Output,
  type Printer,
} from './printer.ts';
import { createSimpleSnapshotPrinter } from './snapshot-printer.ts';
import { createSimpleTxnPrinter } from './txn-printer.ts';
import { createSimpleWatchPrinter } from './watch-printer.ts';

/** Makes the printer of the simple format. */
export function createSimplePrinter(output: Output, errorOutput: Output): Printer {
  const keys = createKeyPrinter(output);
  return {
    refused: [],
    ...keys,
    ...createSimpleTxnPrinter(output, keys),
    ...createSimpleWatchPrinter(output),
    ...createSimpleHistoryPrinter(output),
    ...createSimpleLeasePrinter(output),
    ...createSimpleAlarmPrinter(output),
    ...createSimpleMemberPrinter(output),
    ...createSimpleSnapshotPrinter(output),
    ...createClusterPrinter(output, errorOutput),
  };
}

function createKeyPrinter(output: Output): KeyPrinter {
  return {
    put: (reply, style) => {
      output('OK\n');
      if (reply.prevKv !== undefined) printPair(output, reply.prevKv, style);
    },
    range: (reply, style) => {
      for (const pair of reply.kvs) printPair(output, pair, style);
    },
    delete: (reply, style) => {
      output(`${reply.deleted}\n`);
      for (const pair of reply.prevKvs) printPair(output, pair, style);
    },
  };
}

function createClusterPrinter(output: Output, errorOutput: Output): ClusterPrinter {
  return {
    moveLeader: (reply, target) => {
      output(`Leadership transferred from ${hexId(reply.nodeId)} to ${hexId(target)}\n`);
    },
    endpointStatus: (statuses) => {
      for (const each of statuses) output(`${statusCells(each).join(', ')}\n`);
    },
    endpointHash: (hashes) => {
      for (const each of hashes) output(`${hashCells(each).join(', ')}\n`);
    },
    endpointHealth: (healths) => {
      for (const { endpoint, isHealthy, tookMs, error } of healths) {
        if (isHealthy) {
          const took = formatGoDuration(tookMs);
          output(`${endpoint} is healthy: successfully committed proposal: took = ${took}\n`);
        } else {
          errorOutput(`${endpoint} is unhealthy: failed to commit proposal: ${error}\n`);
        }
      }
    },
  };
}

/** The columns of an endpoint's hash, shared with the table format. */
export function hashCells({ endpoint, reply }: EndpointHash): string[] {
  return [endpoint, String(reply.hash)];
}

/** The columns of an endpoint's status, shared with the table format. */
export function statusCells({ endpoint, status }: EndpointStatus): string[] {
  return [
    endpoint,
    hexId(status.nodeId),
    status.version,
    formatByteSize(status.dbSizeBytes),
    String(status.leader === status.nodeId),
    String(status.isLearner),
    String(status.term),
    String(status.lastIndex),
    String(status.appliedIndex),
    status.alarms.map(alarmText).join(', '),
  ];
}
