/**
 * The network as the member loop sees it. Real links implement it in production, a queue on virtual
 * time in the simulator.
 */

import type { LogIndex, MemberRecord, Message, NodeId, PeerStatus } from '../../include/node.ts';
import type { MemberReport } from '../../include/rpc.ts';

/** Says whether the peer has the snapshot, and of which index it was (0 if it never began). */
export type OnSnapshotDone = (isDelivered: boolean, index: LogIndex) => void;

/** How a member reaches the others. */
export type Transport = {
  /** Queues a message; dropped when the peer cannot be reached, which Raft copes with. */
  readonly send: (message: Message) => void;
  /** Tells a peer about this member; dropped when it cannot be reached, so tell it again. */
  readonly report: (to: NodeId, report: MemberReport) => void;
  /** Lets everything said in this turn leave now: to peers and to clients. */
  readonly flush: () => void;
  /**
   * Who the members are from now on, this one included, and which of them learn. Messages to others
   * go back on the connection they came by, if at all.
   */
  readonly follow: (members: readonly MemberRecord[], learners: readonly NodeId[]) => void;
  /** Those whose removal is applied are told so, and no longer listened to. */
  readonly dropRemoved: () => void;
  /** The other members as this one sees them, ascending by id. */
  readonly peers: () => readonly PeerStatus[];
  /** The protocol version that a peer spoke last; 0 before it was reached. */
  readonly versionOf: (id: NodeId) => number;
  /** Starts to stream the whole state to a peer; `onDone` is called once. */
  readonly sendSnapshot: (to: NodeId, onDone: OnSnapshotDone) => void;
};
