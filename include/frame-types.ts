/** What a frame is, by its number. Part of include/rpc.ts, which exports it. */

/** What a frame is. Raft messages take 0x20 to 0x2b (MessageType in include/node.ts). */
export const FrameType = {
  Hello: 0x01,
  Error: 0x02,
  Ping: 0x03,
  Pong: 0x04,
  /** The answer to a request: its body is that of the request's type. */
  Reply: 0x05,
  /** Ask that node instead: leader id, address, port. */
  Redirect: 0x06,
  Put: 0x10,
  Range: 0x11,
  DeleteRange: 0x12,
  Compact: 0x13,
  Status: 0x14,
  MoveLeader: 0x15,
  Txn: 0x16,
  LeaseGrant: 0x17,
  LeaseRevoke: 0x18,
  LeaseKeepAlive: 0x19,
  LeaseTimeToLive: 0x1a,
  LeaseList: 0x1b,
  SessionOpen: 0x1c,
  WatchCreate: 0x1d,
  WatchCancel: 0x1e,
  /** Asks to be told once every watch of the connection is in sync. */
  WatchProgress: 0x1f,
  /** The first frame of a snapshot connection: what it stands for. */
  SnapshotBegin: 0x30,
  SnapshotChunk: 0x31,
  /** The last one: totals and checksum. */
  SnapshotEnd: 0x32,
  /** A client asks for the node's whole state: chunks, then the reply. */
  SnapshotSave: 0x33,
  /** A write of a session: its mark, then the write's own type and body. */
  Once: 0x40,
  MemberList: 0x41,
  MemberChange: 0x42,
  AlarmList: 0x43,
  /** Raises or disarms an alarm: of a client, or of a member to the leader. */
  AlarmSet: 0x44,
  HashKv: 0x45,
  /** Asks what the node measures about itself. */
  Metrics: 0x46,
  /** Sets how much the node logs. */
  LogLevel: 0x47,
  // Told by a node unasked; the frame's id is the watch's.
  WatchEvents: 0x48,
  WatchNote: 0x49,
  WatchCancelled: 0x4a,
  /** A member to the leader: what its store comes to. */
  HashReport: 0x4b,
  // Never a frame, only in entries of the log: what a leader proposes on its own account.
  Expire: 0x50,
  LeaseCheckpoint: 0x51,
  ClusterVersion: 0x52,
  HashCheck: 0x53,
} as const;
/** One of the values of FrameType. */
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

/** The version that a frame, or an entry of its type, came with. Of those not named: the first. */
const SINCE_VERSION: ReadonlyMap<number, number> = new Map([
  [FrameType.SnapshotSave, 2],
  [FrameType.AlarmList, 2],
  [FrameType.AlarmSet, 2],
  [FrameType.HashKv, 2],
  [FrameType.HashReport, 2],
  [FrameType.HashCheck, 2],
  [FrameType.Metrics, 2],
  [FrameType.LogLevel, 2],
  [FrameType.ClusterVersion, 2],
]);

/** The least protocol version of whoever may be sent a frame, or an entry, of this type. */
export function sinceVersion(type: number): number {
  return SINCE_VERSION.get(type) ?? 1;
}
