/** `-w fields`: one `"Name" : value` a line, byte strings quoted as Go does. */

import { NO_NODE } from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import { alarmText, createFieldsAlarmPrinter } from './alarm-printer.ts';
import { printField, printHeaderFields, printPairFields } from './field-lines.ts';
import { formatGoDuration } from './go-duration.ts';
import { goQuote } from './go-quote.ts';
import { createFieldsHistoryPrinter } from './history-printer.ts';
import { createFieldsLeasePrinter } from './lease-printer.ts';
import { createFieldsMemberPrinter } from './member-printer.ts';
import type { ClusterPrinter, KeyPrinter, Output, Printer } from './printer.ts';
import { createFieldsSnapshotPrinter } from './snapshot-printer.ts';
import { createFieldsTxnPrinter } from './txn-printer.ts';
import { createFieldsWatchPrinter } from './watch-printer.ts';

/** Makes the printer of the fields format. */
export function createFieldsPrinter(output: Output): Printer {
  const keys = createKeyPrinter(output);
  return {
    refused: ['moveLeader', 'memberChange'],
    ...keys,
    ...createFieldsTxnPrinter(output, keys),
    ...createFieldsWatchPrinter(output),
    ...createFieldsHistoryPrinter(output),
    ...createFieldsLeasePrinter(output),
    ...createFieldsAlarmPrinter(output),
    ...createFieldsMemberPrinter(output),
    ...createFieldsSnapshotPrinter(output),
    ...createClusterPrinter(output),
  };
}

function createKeyPrinter(output: Output): KeyPrinter {
  return {
    put: (reply) => {
      printHeaderFields(output, reply);
      if (reply.prevKv !== undefined) printPairFields(output, 'Prev', reply.prevKv);
    },
    range: (reply) => {
      printHeaderFields(output, reply);
      for (const each of reply.kvs) printPairFields(output, '', each);
      printField(output, 'More', reply.more);
      printField(output, 'Count', reply.count);
    },
    delete: (reply) => {
      printHeaderFields(output, reply);
      printField(output, 'Deleted', reply.deleted);
      for (const each of reply.prevKvs) printPairFields(output, 'Prev', each);
    },
  };
}

function createClusterPrinter(output: Output): ClusterPrinter {
  const field = (name: string, value: string | number | boolean): void =>
    printField(output, name, value);
  return {
    moveLeader: () => assert(false, 'a transfer has no form as fields'),
    endpointStatus: (statuses) => {
      for (const { endpoint, status } of statuses) {
        printHeaderFields(output, status);
        field('Version', goQuote(Buffer.from(status.version)));
        field('DBSize', status.dbSizeBytes);
        field('DBSizeInUse', status.dbSizeInUseBytes);
        field('DBSizeQuota', status.quotaBytes);
        field('Leader', status.leader === NO_NODE ? '' : status.leader);
        field('IsLearner', status.isLearner);
        field('RaftIndex', status.lastIndex);
        field('RaftTerm', status.term);
        field('RaftAppliedIndex', status.appliedIndex);
        field('Errors', `[${status.alarms.map(alarmText).join(' ')}]`);
        field('Endpoint', goQuote(Buffer.from(endpoint)));
        output('\n');
      }
    },
    endpointHash: (hashes) => {
      for (const { endpoint, reply } of hashes) {
        printHeaderFields(output, reply);
        field('Endpoint', goQuote(Buffer.from(endpoint)));
        field('Hash', reply.hash);
        output('\n');
      }
    },
    endpointHealth: (healths) => {
      for (const { endpoint, isHealthy, tookMs, error } of healths) {
        field('Endpoint', goQuote(Buffer.from(endpoint)));
        field('Health', isHealthy);
        field('Took', formatGoDuration(tookMs));
        field('Error', error);
        output('\n');
      }
    },
  };
}
