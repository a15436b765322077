/** `-w fields`: one `"Name" : value` a line, byte strings quoted as Go does. */

import type { KeyValue } from '../../../include/kvstore.ts';
import { NO_NODE } from '../../../include/node.ts';
import type { ReplyHeader } from '../../../include/rpc.ts';
import { assert } from '../../assert.ts';
import { formatGoDuration } from './go-duration.ts';
import { goQuote } from './go-quote.ts';
import type { Output, Printer } from './printer.ts';

/** Makes the printer of the fields format. */
export function createFieldsPrinter(output: Output): Printer {
  const field = (name: string, value: string | number | bigint | boolean): void => {
    output(`"${name}" : ${value}\n`);
  };

  const header = (reply: ReplyHeader): void => {
    field('ClusterID', reply.clusterId);
    field('MemberID', reply.nodeId);
    field('Revision', reply.revision);
    field('RaftTerm', reply.term);
  };

  const pair = (prefix: '' | 'Prev', { key, value, ...facts }: KeyValue): void => {
    field(`${prefix}Key`, goQuote(key));
    field(`${prefix}CreateRevision`, facts.createRevision);
    field(`${prefix}ModRevision`, facts.modRevision);
    field(`${prefix}Version`, facts.version);
    field(`${prefix}Value`, goQuote(value));
    field(`${prefix}Lease`, facts.lease);
  };

  return {
    refused: ['moveLeader'],
    put: (reply) => {
      header(reply);
      if (reply.prevKv !== undefined) pair('Prev', reply.prevKv);
    },
    range: (reply) => {
      header(reply);
      for (const each of reply.kvs) pair('', each);
      field('More', reply.more);
      field('Count', reply.count);
    },
    delete: (reply) => {
      header(reply);
      field('Deleted', reply.deleted);
      for (const each of reply.prevKvs) pair('Prev', each);
    },
    moveLeader: () => assert(false, 'a transfer has no form as fields'),
    endpointStatus: (statuses) => {
      for (const { endpoint, status } of statuses) {
        header(status);
        field('Version', goQuote(Buffer.from(status.version)));
        field('DBSize', status.dbSizeBytes);
        field('Leader', status.leader === NO_NODE ? '' : status.leader);
        field('IsLearner', status.isLearner);
        field('RaftIndex', status.lastIndex);
        field('RaftTerm', status.term);
        field('RaftAppliedIndex', status.appliedIndex);
        field('Errors', '[]');
        field('Endpoint', goQuote(Buffer.from(endpoint)));
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
