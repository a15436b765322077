/** `-w simple`: what people and shell scripts read. */

import type { KeyValue } from '../../../include/kvstore.ts';
import { formatByteSize } from './byte-size.ts';
import { formatGoDuration } from './go-duration.ts';
import { hexString } from './go-quote.ts';
import {
  type EndpointStatus,
  hexId,
  type Output,
  type PairStyle,
  type Printer,
} from './printer.ts';

/** Makes the printer of the simple format. */
export function createSimplePrinter(output: Output, errorOutput: Output): Printer {
  return {
    refused: [],
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
    moveLeader: (reply, target) => {
      output(`Leadership transferred from ${hexId(reply.nodeId)} to ${hexId(target)}\n`);
    },
    endpointStatus: (statuses) => {
      for (const each of statuses) output(`${statusCells(each).join(', ')}\n`);
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
    '',
  ];
}

function printPair(output: Output, pair: KeyValue, style: PairStyle): void {
  if (!style.valuesOnly) printLine(output, pair.key, style.hex);
  printLine(output, style.keysOnly ? NOTHING : pair.value, style.hex);
}

const NOTHING: Buffer = Buffer.alloc(0);

function printLine(output: Output, bytes: Buffer, hex: boolean): void {
  output(hex ? hexString(bytes) : bytes);
  output('\n');
}
