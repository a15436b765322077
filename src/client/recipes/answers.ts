/** What the operations of a recipe's transaction were answered. */

import { OpKind, type RangeResult } from '../../../include/kvstore.ts';
import type { TxnReply } from '../../../include/rpc.ts';
import { assert } from '../../assert.ts';

/** The answer to the range at a place among the operations of the branch taken. */
export function rangeAnswer(reply: TxnReply, slot: number): RangeResult {
  const answer = reply.results[slot];
  assert(answer?.kind === OpKind.Range, 'a range is answered as one', slot);
  return answer.result;
}
