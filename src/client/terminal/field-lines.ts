/** Lines `"Name" : value` and the groups of them that answers share: `-w fields`. */

import type { KeyValue } from '../../../include/kvstore.ts';
import type { ReplyHeader } from '../../../include/rpc.ts';
import { goQuote } from './go-quote.ts';
import type { Output } from './printer.ts';

/** Prints one field. Byte strings and text are quoted by the caller. */
export function printField(
  output: Output,
  name: string,
  value: string | number | bigint | boolean,
): void {
  output(`"${name}" : ${value}\n`);
}

/** Prints the header of a reply. */
export function printHeaderFields(output: Output, reply: ReplyHeader): void {
  printField(output, 'ClusterID', reply.clusterId);
  printField(output, 'MemberID', reply.nodeId);
  printField(output, 'Revision', reply.revision);
  printField(output, 'RaftTerm', reply.term);
}

/** Prints a pair, each name with the prefix. */
export function printPairFields(
  output: Output,
  prefix: '' | 'Prev',
  { key, value, ...facts }: KeyValue,
): void {
  printField(output, `${prefix}Key`, goQuote(key));
  printField(output, `${prefix}CreateRevision`, facts.createRevision);
  printField(output, `${prefix}ModRevision`, facts.modRevision);
  printField(output, `${prefix}Version`, facts.version);
  printField(output, `${prefix}Value`, goQuote(value));
  printField(output, `${prefix}Lease`, facts.lease);
}
