/** What a node answers, as etcd's KV says it. */

import {
  type DeleteRangeResult,
  type KeyValue as NodeKeyValue,
  OpKind,
  type PutResult,
  type RangeResult,
  type TxnOpResult,
  type TxnResult,
} from '../../../include/kvstore.ts';
import type { ResponseHeader } from '../schema/header.ts';
import type {
  DeleteRangeResponse,
  PutResponse,
  RangeResponse,
  ResponseOp,
  TxnResponse,
} from '../schema/kv.ts';
import type { KeyValue } from '../schema/mvccpb.ts';

/** A pair. */
export function pairOf(kv: NodeKeyValue): KeyValue {
  return {
    key: kv.key,
    create_revision: kv.createRevision,
    mod_revision: kv.modRevision,
    version: kv.version,
    value: kv.value,
    lease: kv.lease,
  };
}

/** The answer to a range. */
export function rangeResponse(
  header: ResponseHeader | undefined,
  { kvs, more, count }: Omit<RangeResult, 'revision'>,
): RangeResponse {
  return { header, kvs: kvs.map(pairOf), more, count };
}

/** The answer to a put. */
export function putResponse(
  header: ResponseHeader | undefined,
  { prevKv }: Omit<PutResult, 'revision'>,
): PutResponse {
  return { header, prev_kv: prevKv === undefined ? undefined : pairOf(prevKv) };
}

/** The answer to a deletion. */
export function deleteResponse(
  header: ResponseHeader | undefined,
  { deleted, prevKvs }: Omit<DeleteRangeResult, 'revision'>,
): DeleteRangeResponse {
  return { header, deleted, prev_kvs: prevKvs.map(pairOf) };
}

/** The answer to a transaction. */
export function txnResponse(
  header: ResponseHeader | undefined,
  { succeeded, results }: Omit<TxnResult, 'revision'>,
): TxnResponse {
  return { header, succeeded, responses: results.map(operationResponse) };
}

/** The answer to an operation: its head has the revision only, a nested transaction's nothing. */
function operationResponse(op: TxnOpResult): ResponseOp {
  const response: ResponseOp = {
    response_range: undefined,
    response_put: undefined,
    response_delete_range: undefined,
    response_txn: undefined,
  };
  const header = headerOf(op.kind === OpKind.Txn ? 0 : op.result.revision);
  if (op.kind === OpKind.Put) response.response_put = putResponse(header, op.result);
  else if (op.kind === OpKind.Range) response.response_range = rangeResponse(header, op.result);
  else if (op.kind === OpKind.DeleteRange) {
    response.response_delete_range = deleteResponse(header, op.result);
  } else response.response_txn = txnResponse(header, op.result);
  return response;
}

function headerOf(revision: number): ResponseHeader {
  return { cluster_id: 0n, member_id: 0n, revision, raft_term: 0 };
}
