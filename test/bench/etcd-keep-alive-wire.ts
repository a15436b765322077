/** Renewals of leases as etcd takes them: one stream a connection, answered in order. */

import { ETCD_METHODS, etcdRequestBody } from './etcd-messages.ts';
import { EtcdStream } from './etcd-stream.ts';
import { H2Type, h2Frame } from './http2-frames.ts';
import { findField, PADDED_VARINT_BYTES, writePaddedVarint } from './protobuf.ts';
import { leaseOf, Operation, type Wire } from './wire.ts';

/** Most requests in flight on a connection. */
const INFLIGHT_MAX = 1 << 12;

/** `TTL` of a LeaseKeepAliveResponse: left out when the lease is gone. */
const TTL_FIELD = 3;

const STREAM = 1;

/** Makes one connection's side. */
export function createEtcdKeepAliveWire(authority: string): Wire {
  const stream = new EtcdStream(ETCD_METHODS[Operation.KeepAlive], authority);
  const body = etcdRequestBody(Operation.KeepAlive, Buffer.alloc(0));
  const template = h2Frame(H2Type.Data, 0, STREAM, body);
  /** Slots in the order of their requests. */
  const slots = new Uint32Array(INFLIGHT_MAX);
  let askedCount = 0;
  let answeredCount = 0;
  let failure = 'none';
  return {
    opening: stream.opening,
    requestBytesMax: template.length,
    request: (out, offset, slot, keyNumber) => {
      const end = offset + template.length;
      template.copy(out, offset);
      writePaddedVarint(out, end - PADDED_VARINT_BYTES, leaseOf(keyNumber));
      slots[askedCount % INFLIGHT_MAX] = slot;
      askedCount += 1;
      if (askedCount - answeredCount > INFLIGHT_MAX) throw new Error('too many are in flight');
      stream.spend(body);
      return end;
    },
    read: (bytes, answered) =>
      stream.read(bytes, (message, start, end) => {
        const isOk = findField(message, start, end, TTL_FIELD) >= 0;
        if (!isOk) failure = 'the lease is gone';
        const slot = slots[answeredCount % INFLIGHT_MAX]!;
        answeredCount += 1;
        answered(slot, isOk);
      }),
    takeOwed: () => stream.takeOwed(),
    lastFailure: () => failure,
  };
}
