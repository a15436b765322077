/** The systems that are measured, and which protocol the generator speaks to each. */

import { createEtcdKeepAliveWire } from './etcd-keep-alive-wire.ts';
import { createEtcdWire } from './etcd-wire.ts';
import { createKvorumWire } from './kvorum-wire.ts';
import { Operation, type Wire } from './wire.ts';

/** The systems compared. */
export type SystemName = 'kvorum' | 'etcd';

/** Makes one connection's side of a system's protocol. */
export function createWire(
  system: SystemName,
  operation: Operation,
  value: Buffer,
  authority: string,
): Wire {
  if (system === 'kvorum') return createKvorumWire(operation, value);
  return operation === Operation.KeepAlive
    ? createEtcdKeepAliveWire(authority)
    : createEtcdWire(operation, value, authority);
}
