/** etcd's Lock: a mutex that the member waits for on behalf of its client. */

import { NO_RANGE_END, OpKind } from '../../../include/kvstore.ts';
import { FrameType, type ReplyHeader } from '../../../include/rpc.ts';
import type { Call } from '../calls/call.ts';
import type { Methods } from '../calls/methods.ts';
import type { NodeClient } from '../node-client.ts';
import { type LockRequest, type LockResponse, LockService } from '../schema/v3lock.ts';
import {
  contenderOf,
  contest,
  deleteOp,
  getOp,
  ifCreatedAt,
  putOp,
  waitForElders,
} from './contest.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);

/** Adds the service. */
export function addLock(methods: Methods, node: NodeClient): void {
  methods.unary(LockService.Lock, (request, call) => {
    contest(call, () => lock(node, request, call));
  });
  methods.unary(LockService.Unlock, ({ key }, call) => {
    contest(call, async () => {
      const body = { key, rangeEnd: NO_RANGE_END, prevKv: false };
      const reply = await node.request({ type: FrameType.DeleteRange, body });
      call.answer({ header: node.header(reply) });
    });
  });
}

async function lock(
  node: NodeClient,
  request: LockRequest,
  call: Call<LockResponse>,
): Promise<void> {
  const { prefix, key, lease } = await contenderOf(node, request.name, request.lease);
  const claim = await ifCreatedAt(node, key, 0, [putOp(key, NO_BYTES, lease)], [getOp(key)]);
  const [found] = claim.results;
  const own = found?.kind === OpKind.Range ? found.result.kvs[0] : undefined;
  const createRevision = own?.createRevision ?? claim.revision;
  const head: ReplyHeader = await waitForElders(node, prefix, createRevision - 1, call);
  if (call.isEnded) await ifCreatedAt(node, key, createRevision, [deleteOp(key)]);
  else call.answer({ header: node.header(head), key });
}
