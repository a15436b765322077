/** What a client is told that this member cannot serve: whom to ask, or who is missing. */

import type { MemberRecord, NodeId } from '../../include/node.ts';
import { ERRORS, ErrorCode } from '../../include/rpc.ts';
import type { Asker } from './asker.ts';
import type { Transport } from './transport.ts';

/** The text of an error that names the members this one cannot reach. */
export function explain(code: ErrorCode, transport: Transport): string {
  const unreached = transport
    .peers()
    .filter((peer) => !peer.isOnline)
    .map((peer) => `node ${peer.id} (${peer.address}:${peer.port})`);
  const text = ERRORS.get(code)?.text ?? '';
  return unreached.length === 0 ? text : `${text}: not reached: ${unreached.join(', ')}`;
}

/** What directions are given from. */
export type Surroundings = {
  /** What is known of a member. */
  readonly record: (id: NodeId) => MemberRecord | undefined;
  readonly transport: Transport;
};

/**
 * Points a client at the leader, or says that there is none. A leader that cannot serve has none to
 * name: it is about to be another.
 */
export function redirect(
  asker: Asker,
  id: number,
  { self, leader }: { readonly self: NodeId; readonly leader: NodeId },
  { record, transport }: Surroundings,
): void {
  const there = record(leader);
  if (there === undefined || there.id === self) {
    asker.refuse(id, ErrorCode.NoLeader, explain(ErrorCode.NoLeader, transport));
  } else {
    const { address, port } = there;
    asker.redirect(id, { leaderId: there.id, address, port });
  }
}
