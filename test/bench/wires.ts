/** The systems that are measured, and which protocol the generator speaks to each. */

import { createEtcdWire } from './etcd-wire.ts';
import { createKvorumWire } from './kvorum-wire.ts';
import type { Operation, Wire } from './wire.ts';

/** The systems compared. */
export type SystemName = 'kvorum' | 'etcd';

/** Makes one connection's side of a system's protocol. */
export function createWire(
  system: SystemName,
  operation: Operation,
  value: Buffer,
  authority: string,
): Wire {
  return system === 'etcd'
    ? createEtcdWire(operation, value, authority)
    : createKvorumWire(operation, value);
}
