/** etcd's Lease. */

import { RENEWALS_WAITING_MAX } from '../../../include/gateway.ts';
import { FrameType, type LeaseKeepAliveReply } from '../../../include/rpc.ts';
import { type Call, failCall, OK, type Receiver } from '../calls/call.ts';
import type { Methods } from '../calls/methods.ts';
import { UNREAD } from '../calls/pace.ts';
import type { NodeClient } from '../node-client.ts';
import {
  type LeaseKeepAliveRequest,
  type LeaseKeepAliveResponse,
  LeaseService,
} from '../schema/lease.ts';

/** Adds the service. */
export function addLease(methods: Methods, node: NodeClient): void {
  methods.answering(LeaseService.LeaseGrant, async ({ ID: id, TTL: ttlSeconds }) => {
    const body = { id, ttlSeconds };
    const reply = await node.request({ type: FrameType.LeaseGrant, body });
    return { header: node.header(reply), ID: reply.id, TTL: reply.ttlSeconds, error: '' };
  });
  methods.answering(LeaseService.LeaseRevoke, async ({ ID: id }) => {
    const reply = await node.request({ type: FrameType.LeaseRevoke, body: { id } });
    return { header: node.header(reply) };
  });
  methods.answering(LeaseService.LeaseTimeToLive, async ({ ID: id, keys }) => {
    const reply = await node.request({ type: FrameType.LeaseTimeToLive, body: { id, keys } });
    return {
      header: node.header(reply),
      ID: reply.id,
      TTL: reply.ttlSeconds,
      grantedTTL: reply.grantedTtlSeconds,
      keys: [...reply.keys],
    };
  });
  methods.answering(LeaseService.LeaseLeases, async () => {
    const reply = await node.request({ type: FrameType.LeaseList });
    return { header: node.header(reply), leases: reply.ids.map((id) => ({ ID: id })) };
  });
  methods.stream(LeaseService.LeaseKeepAlive, (call) => new KeepAlives(node, call));
}

/** A stream of renewals: each is answered, in order; the last answer ends a half-closed stream. */
class KeepAlives implements Receiver<LeaseKeepAliveRequest> {
  readonly #node: NodeClient;
  readonly #call: Call<LeaseKeepAliveResponse>;
  /** Renewals under way, oldest first, with their answers once they are there. */
  readonly #waiting: { reply: LeaseKeepAliveReply | undefined }[] = [];
  #isHalfClosed = false;

  constructor(node: NodeClient, call: Call<LeaseKeepAliveResponse>) {
    this.#node = node;
    this.#call = call;
  }

  onMessage({ ID: id }: LeaseKeepAliveRequest): void {
    if (this.#waiting.length >= RENEWALS_WAITING_MAX) {
      this.#call.end(UNREAD);
      return;
    }
    const renewal: { reply: LeaseKeepAliveReply | undefined } = { reply: undefined };
    this.#waiting.push(renewal);
    this.#node.ask(
      { type: FrameType.LeaseKeepAlive, body: { id } },
      (reply) => {
        renewal.reply = reply;
        this.#answer();
      },
      (error) => failCall(this.#call, error),
    );
  }

  onHalfClose(): void {
    this.#isHalfClosed = true;
    this.#answer();
  }

  #answer(): void {
    let count = 0;
    for (const { reply } of this.#waiting) {
      if (reply === undefined) break;
      count += 1;
      const header = this.#node.header(reply);
      this.#call.send({ header, ID: reply.id, TTL: reply.ttlSeconds });
    }
    this.#waiting.splice(0, count);
    if (this.#isHalfClosed && this.#waiting.length === 0) this.#call.end(OK);
  }
}
