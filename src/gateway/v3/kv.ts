/** etcd's KV: reads, writes and transactions, each one native request. */

import { PAGE_BYTES } from '../../../include/client.ts';
import {
  GATEWAY_TIMEOUT_MS,
  GrpcCode,
  PHYSICAL_COMPACTION_TIMEOUT_MS,
} from '../../../include/gateway.ts';
import { SortOrder, SortTarget } from '../../../include/kvstore.ts';
import { ErrorCode, FrameType, KvorumError, type RangeReply } from '../../../include/rpc.ts';
import { type Call, failCall, OK, RpcError } from '../calls/call.ts';
import type { Methods } from '../calls/methods.ts';
import type { NodeClient } from '../node-client.ts';
import {
  KVService,
  type RangeRequest,
  type RangeResponse,
  type RangeStreamResponse,
} from '../schema/kv.ts';
import { deleteRequest, putRequest, rangeRequest, txnRequest } from './kv-requests.ts';
import { deleteResponse, pairOf, putResponse, rangeResponse, txnResponse } from './kv-responses.ts';

/** Adds the service. */
export function addKv(methods: Methods, node: NodeClient): void {
  methods.unary(KVService.Put, (request, call) => {
    node.ask(
      { type: FrameType.Put, body: putRequest(request) },
      (reply) => call.answer(putResponse(node.header(reply), reply)),
      (error) => failCall(call, error),
    );
  });
  methods.unary(KVService.Range, (request, call) => {
    attempt(call, () => {
      node.ask(
        { type: FrameType.Range, body: rangeRequest(request) },
        (reply) => call.answer(rangeResponse(node.header(reply), reply)),
        (error) => failCall(call, error),
      );
    });
  });
  methods.unary(KVService.DeleteRange, (request, call) => {
    node.ask(
      { type: FrameType.DeleteRange, body: deleteRequest(request) },
      (reply) => call.answer(deleteResponse(node.header(reply), reply)),
      (error) => failCall(call, error),
    );
  });
  methods.unary(KVService.Txn, (request, call) => {
    attempt(call, () => {
      node.ask(
        { type: FrameType.Txn, body: txnRequest(request) },
        (reply) => call.answer(txnResponse(node.header(reply), reply)),
        (error) => failCall(call, error),
      );
    });
  });
  methods.unary(KVService.Compact, ({ revision, physical }, call) => {
    node.ask(
      { type: FrameType.Compact, body: { revision, physical } },
      (reply) => call.answer({ header: node.header(reply) }),
      (error) => failCall(call, error),
      physical ? PHYSICAL_COMPACTION_TIMEOUT_MS : GATEWAY_TIMEOUT_MS,
    );
  });
  methods.unary(KVService.RangeStream, (request, call) => {
    streamRange(node, request, call).catch((error) => failCall(call, error));
  });
}

/** Does what may refuse the request. */
function attempt(call: Call<never>, run: () => void): void {
  try {
    run();
  } catch (error) {
    failCall(call, error);
  }
}

/**
 * A range in pages of one revision: pairs as they come, and header, more and count in the last.
 */
async function streamRange(
  node: NodeClient,
  request: RangeRequest,
  call: Call<RangeStreamResponse>,
): Promise<void> {
  const whole = rangeRequest(request);
  const isSorted = whole.sortTarget !== SortTarget.Key || whole.sortOrder === SortOrder.Descend;
  const isFiltered =
    whole.minModRevision + whole.maxModRevision !== 0 ||
    whole.minCreateRevision + whole.maxCreateRevision !== 0;
  if (isSorted || isFiltered) {
    const why = 'etcdserver: range stream does not sort or filter';
    throw new RpcError(GrpcCode.Unimplemented, why);
  }
  let first: RangeReply | undefined;
  let { key, revision } = whole;
  let left = whole.limit > 0 ? whole.limit : Number.POSITIVE_INFINITY;
  for (;;) {
    const limit = Number.isFinite(left) ? left : 0;
    const body = {
      ...whole,
      key,
      revision,
      limit,
      pageBytes: PAGE_BYTES,
      uncounted: first !== undefined,
    };
    const page: RangeReply = await node.request({ type: FrameType.Range, body });
    if (call.isEnded) return;
    first ??= page;
    left -= page.kvs.length;
    const last = page.kvs.at(-1);
    const isLast = !page.more || last === undefined || left <= 0;
    const kvs = page.kvs.map(pairOf);
    if (isLast) {
      const { count } = first;
      const response: RangeResponse = { header: node.header(first), kvs, more: page.more, count };
      call.send({ range_response: response });
      call.end(OK);
      return;
    }
    call.send({ range_response: { header: undefined, kvs, more: false, count: 0 } });
    await drained(call);
    if (revision <= 0) revision = first.revision;
    key = Buffer.concat([last.key, Buffer.from([0])]);
  }
}

/** Resolves when what was sent has left; when the call ends as well. */
async function drained(call: Call<never>): Promise<void> {
  if (call.queuedBytes === 0) return;
  await new Promise<void>((resolve) => {
    call.onDrain = resolve;
    call.onEnded = resolve;
  });
  if (call.isEnded) throw new KvorumError(ErrorCode.Stopped);
}
