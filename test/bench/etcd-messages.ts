/** Messages of etcd's rpc.proto, about key 0 and lease 0, put together once. */

import { bytesField, paddedField, varintField } from './protobuf.ts';
import { keyOf, LEASE_SECONDS, Operation } from './wire.ts';

const GRPC_ENVELOPE_BYTES = 5;

/** The method of each operation. */
export const ETCD_METHODS: Readonly<Record<Operation, string>> = {
  [Operation.Put]: '/etcdserverpb.KV/Put',
  [Operation.GetLinearizable]: '/etcdserverpb.KV/Range',
  [Operation.GetSerializable]: '/etcdserverpb.KV/Range',
  [Operation.CompareAndSwap]: '/etcdserverpb.KV/Txn',
  [Operation.LeaseGrant]: '/etcdserverpb.Lease/LeaseGrant',
  [Operation.KeepAlive]: '/etcdserverpb.Lease/LeaseKeepAlive',
};

/** The method of a stream of watches. */
export const ETCD_WATCH_METHOD = '/etcdserverpb.Watch/Watch';

/** A message in gRPC's envelope. */
export function inEnvelope(message: Buffer): Buffer {
  const envelope = Buffer.alloc(GRPC_ENVELOPE_BYTES);
  envelope.writeUInt32BE(message.length, 1);
  return Buffer.concat([envelope, message]);
}

/** The body of a call. */
export function etcdRequestBody(operation: Operation, value: Buffer): Buffer {
  return inEnvelope(messageOf(operation, value));
}

/** WatchRequest {create_request=1 {key=1}}. */
export function etcdWatchMessage(key: Buffer): Buffer {
  return bytesField(1, bytesField(1, key));
}

/**
 * PutRequest {key=1, value=2}; RangeRequest {key=1, serializable=7}; LeaseGrantRequest {TTL=1,
 * ID=2}; LeaseKeepAliveRequest {ID=1}; TxnRequest {compare=1 {key=3, version=4}, success=2
 * {request_put=2}}: result and target of a compare are left out, they mean equal and version.
 */
function messageOf(operation: Operation, value: Buffer): Buffer {
  const key = bytesField(1, keyOf(0));
  switch (operation) {
    case Operation.Put:
      return Buffer.concat([key, bytesField(2, value)]);
    case Operation.GetLinearizable:
      return key;
    case Operation.GetSerializable:
      return Buffer.concat([key, varintField(7, 1)]);
    case Operation.CompareAndSwap:
      return Buffer.concat([
        bytesField(1, bytesField(3, keyOf(0)), paddedField(4, 0)),
        bytesField(2, bytesField(2, key, bytesField(2, value))),
      ]);
    case Operation.LeaseGrant:
      return Buffer.concat([varintField(1, LEASE_SECONDS), paddedField(2, 0)]);
    case Operation.KeepAlive:
      return paddedField(1, 0);
  }
}
