/**
 * Finds keys that a transaction would write twice in one revision, as etcd does (checkIntervals in
 * its api/v3rpc/key.go), since what it accepts must be accepted here:
 *
 * - A key is put once only, nested transactions included. Of the two branches of one transaction
 *   only one runs: both may put a key.
 * - No put lies in the range of a deletion beside it or, the one or the other, in a transaction
 *   beside it. Of two transactions beside each other the earlier one may put what the later one
 *   deletes, not the other way round.
 * - A deletion of everything from a key on forbids nothing. (etcd takes its end for the zero byte.)
 */

import { FROM_KEY, OpKind, type TxnOp, type TxnRequest } from '../../include/kvstore.ts';
import { KeyIntervals } from './key-intervals.ts';

/** What the operations of a branch write. Keys are latin-1, whose order is that of the bytes. */
type Writes = { readonly puts: Set<string>; readonly deletions: KeyIntervals };

/** Whether a branch of a transaction writes a key twice. */
export function writesTwice(request: TxnRequest): boolean {
  return (
    collectWrites(request.success) === undefined || collectWrites(request.failure) === undefined
  );
}

/** What a branch writes; undefined when a key is written twice. */
function collectWrites(ops: readonly TxnOp[]): Writes | undefined {
  const puts = new Set<string>();
  const deletions = new KeyIntervals();
  const put = (key: string): boolean => {
    if (puts.has(key) || deletions.has(key)) return false;
    puts.add(key);
    return true;
  };
  for (const op of ops) {
    if (op.kind === OpKind.DeleteRange) addDeletion(deletions, op.request);
  }
  for (const op of ops) {
    if (op.kind !== OpKind.Txn) continue;
    const success = collectWrites(op.request.success);
    const failure = collectWrites(op.request.failure);
    if (success === undefined || failure === undefined) return undefined;
    for (const key of success.puts) if (!put(key)) return undefined;
    for (const key of failure.puts) if (!success.puts.has(key) && !put(key)) return undefined;
    deletions.addAll(success.deletions);
    deletions.addAll(failure.deletions);
  }
  for (const op of ops) {
    if (op.kind === OpKind.Put && !put(op.request.key.toString('latin1'))) return undefined;
  }
  return { puts, deletions };
}

function addDeletion(deletions: KeyIntervals, range: { key: Buffer; rangeEnd: Buffer }): void {
  const key = range.key.toString('latin1');
  if (range.rangeEnd.length === 0) deletions.add(key, `${key}\0`);
  else if (!range.rangeEnd.equals(FROM_KEY)) deletions.add(key, range.rangeEnd.toString('latin1'));
}
