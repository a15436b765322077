/**
 * The Raft core's contract: what goes in, what comes out, and the limits in between.
 *
 * The core (src/node/raft) is a pure state machine. Input: step, tick, propose, readIndex,
 * persisted and the connection hints. Output: one Ready. It does no I/O and knows no clock, so the
 * same core runs in production and in the simulator.
 *
 * Sources: Ongaro, "Consensus: Bridging Theory and Practice" (2014), called "thesis" below;
 * Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014).
 */

import type { Configuration, NodeId } from './configuration.ts';

export * from './configuration.ts';

/** A place in the replicated log, from 1; 0 is the place before the first entry. */
export type LogIndex = number;

/** An election term, from 1; 0 is the term before the first election. */
export type Term = number;

/** What an entry's data means. The number is what log and wire carry. */
export const EntryType = {
  /**
   * Nothing to apply: a new leader's first entry, which commits what earlier terms left (thesis
   * 6.4).
   */
  Empty: 0,
  /**
   * A write for the key-value store; the data is a request body of docs/PROTOCOL.md after its type
   * byte.
   */
  Command: 1,
  /**
   * A new configuration of the cluster, in force from where it is appended (thesis 4.1); the data
   * is the encoded Configuration (src/configuration.ts).
   */
  Configuration: 2,
} as const;
/** One of the values of EntryType. */
export type EntryType = (typeof EntryType)[keyof typeof EntryType];

/** One entry of the replicated log. Immutable once made; `data` is never written to again. */
export type Entry = {
  readonly index: LogIndex;
  readonly term: Term;
  readonly type: EntryType;
  /** Owned by the entry: never a view of a buffer that is reused. */
  readonly data: Buffer;
};

/**
 * Bytes an entry takes in logs and frames besides its data: length u32, term u64, index u64, type
 * u8.
 */
export const ENTRY_OVERHEAD_BYTES = 21;

/**
 * What a member must never forget (thesis 3.8): on disk before any message that rests on it is
 * sent.
 */
export type HardState = {
  readonly term: Term;
  /** Whom this member voted for in `term`, or NO_NODE. */
  readonly vote: NodeId;
  /** A commit index known; need not be synced, it only shortens a restart. May lag behind. */
  readonly commit: LogIndex;
};

/** What a snapshot stands for: all entries up to `index`. */
export type SnapshotMeta = {
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
};

/** The part a member plays. */
export const Role = {
  Follower: 0,
  PreCandidate: 1,
  Candidate: 2,
  Leader: 3,
} as const;
/** One of the values of Role. */
export type Role = (typeof Role)[keyof typeof Role];

/** The messages between two cores. The number is the frame type on the wire (docs/PROTOCOL.md). */
export const MessageType = {
  /** Would you vote for me in term+1? Changes nobody's term (thesis 9.6). */
  PreVote: 0x20,
  PreVoteReply: 0x21,
  /** RequestVote (thesis figure 3.1). */
  Vote: 0x22,
  VoteReply: 0x23,
  /** AppendEntries with at least one entry, or an empty probe (thesis figure 3.1). */
  Append: 0x24,
  AppendReply: 0x25,
  /** Leader's sign of life; carries `commit` and the newest read sequence (thesis 6.4). */
  Heartbeat: 0x26,
  HeartbeatReply: 0x27,
  /** A follower asks its leader for a read index (thesis 6.4). */
  ReadIndex: 0x28,
  ReadIndexReply: 0x29,
  /** The leader tells its successor to campaign at once (thesis 3.10). */
  TimeoutNow: 0x2a,
  /** A snapshot has arrived whole; delivered locally by the loop, never sent as a single frame. */
  Snapshot: 0x2b,
} as const;
/** One of the values of MessageType. */
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/** No entries: shared by all messages that carry none. */
export const NO_ENTRIES: readonly Entry[] = Object.freeze([]);

/**
 * A message between two cores. One shape for all types, so that the code that handles them stays
 * monomorphic; a field that a type does not use is 0, false or NO_ENTRIES.
 *
 * - PreVote, Vote: `index` and `logTerm` of the last entry; `context` 1 asks for a leader transfer.
 * - PreVoteReply, VoteReply: `reject` is a refusal.
 * - Append: `index` and `logTerm` of the entry before `entries`; `commit` is the leader's.
 * - AppendReply: `index` is the last one matched. With `reject`, `index` is the refused one, `hint`
 *   the highest index that may match, and `logTerm` the term there.
 * - Heartbeat: `commit` is the leader's, at most what the receiver is known to match; `context` the
 *   newest read sequence.
 * - HeartbeatReply: `context` echoes it.
 * - ReadIndex: `context` is the asker's read sequence.
 * - ReadIndexReply: `context` echoes it; `index` is the read index, `reject` means ask again.
 * - TimeoutNow: nothing else.
 * - Snapshot: `index` and `logTerm` of the snapshot.
 *
 * A granted PreVoteReply carries the term asked about; every other message the sender's own term.
 * Index, term, commit and hint fit 48 bits (TERM_MAX), context 53: what step gets must be safe
 * integers of at least 0, entries without a gap in types that cannot be wrong. Beyond that a
 * message may be as old, doubled, reordered or senseless as a network makes it.
 */
export type Message = {
  readonly type: MessageType;
  readonly from: NodeId;
  readonly to: NodeId;
  /** The sender's term; of a pre-vote, the term it would campaign in. */
  readonly term: Term;
  readonly index: LogIndex;
  readonly logTerm: Term;
  readonly commit: LogIndex;
  readonly context: number;
  readonly reject: boolean;
  readonly hint: LogIndex;
  readonly entries: readonly Entry[];
};

/**
 * The largest term and log index: a message beyond it is dropped, so that counting on stays exact.
 */
export const TERM_MAX = 2 ** 48 - 1;

/** What a core is made from. Ticks are the loop's unit of time. */
export type RaftOptions = {
  readonly id: NodeId;
  /** The configuration as of `snapshot`, or of the start for a new cluster. */
  readonly snapshot: SnapshotMeta;
  readonly hardState: HardState;
  /**
   * The entries after the snapshot that the log holds, without a gap. May be long. Copied, not
   * kept.
   */
  readonly entries: readonly Entry[];
  /**
   * Entries up to here are applied in the store already: never handed out again. May lie beyond the
   * log's end: a leader may apply what a majority holds before its own write, then be killed.
   */
  readonly applied: LogIndex;
  /** Ticks between two heartbeats of a leader. */
  readonly heartbeatTicks: number;
  /** Least ticks without a leader before a campaign; the timeout is drawn from [n, 2n). */
  readonly electionTicks: number;
  /** Ticks between two followers' reactions to a lost leader, by rank among the voters. */
  readonly lostLeaderStaggerTicks: number;
  /** Most bytes of entries in one Append; one larger entry still travels alone. */
  readonly appendBytesMax: number;
  /** Most Appends in flight to one follower. */
  readonly inflightMessagesMax: number;
  /** Most bytes of entries in flight to one follower. */
  readonly inflightBytesMax: number;
  /** Most bytes of entries proposed and not yet committed; beyond, propose refuses. */
  readonly uncommittedBytesMax: number;
  /** Seeded chance: returns an integer in [0, bound). */
  readonly randomBelow: (bound: number) => number;
};

/** A read that may be answered once the applied index has reached `index`. */
export type ReadGrant = {
  /** The number readIndex was called with. */
  readonly id: number;
  readonly index: LogIndex;
};

/** A follower that needs more than the log holds: the loop streams it a snapshot. */
export type SnapshotWanted = { readonly to: NodeId };

/**
 * What the loop must do next. Order matters only where said:
 * 1. `messages` may be sent at once, in parallel with the disk write.
 * 2. `hardState` and `entries` go to the log. Entries may overwrite a suffix: the first one's index
 *    then is not above the log's last.
 *    Their order within one write is free: a crash may keep any part, but no later write without
 *    it.
 * 3. `messagesAfterSync` rest on what 2 and all earlier Readys wrote: sent once that is synced; at
 *    once when no sync is owed.
 * 4. `committed` is applied in order; it may be applied before it is synced here, since a majority
 * has it.
 * 5. once the write of 2 is synced the loop calls persisted(raft, writeNumber), before or after 3.
 *    One call with the newest number stands for all earlier ones, as one sync does.
 *
 * The arrays belong to whoever got them; the core neither changes nor reads them again.
 */
export type Ready = {
  readonly messages: readonly Message[];
  readonly hardState: HardState | undefined;
  /** False when only `commit` changed, which needs no sync of its own. */
  readonly mustSync: boolean;
  /**
   * Names the write of 2 in persisted: ascending from 1, 0 while mustSync is false. A number and
   * not an (index, term): an entry may be overwritten and come back while writes are under way, and
   * a vote is no entry. The core remembers what each number covers and forgets what was
   * overwritten.
   */
  readonly writeNumber: number;
  /**
   * A snapshot accepted by step: the log starts anew behind it, the store is swapped. Before
   * `entries`.
   */
  readonly snapshot: SnapshotMeta | undefined;
  readonly entries: readonly Entry[];
  readonly messagesAfterSync: readonly Message[];
  readonly committed: readonly Entry[];
  readonly reads: readonly ReadGrant[];
  /** Ids given to readIndex that will not be answered (leadership lost, no leader): ask again. */
  readonly readsRefused: readonly number[];
  readonly snapshotsWanted: readonly SnapshotWanted[];
  /** Transitions since the last Ready, for logs and waiting clients; usually empty. */
  readonly events: readonly RaftEvent[];
};

/** A change of state worth telling an operator. */
export type RaftEvent =
  | { readonly kind: 'role'; readonly role: Role; readonly term: Term; readonly reason: string }
  | { readonly kind: 'leader'; readonly leader: NodeId; readonly term: Term }
  | {
      readonly kind: 'vote';
      readonly candidate: NodeId;
      readonly term: Term;
      readonly granted: boolean;
      readonly pre: boolean;
    }
  | { readonly kind: 'transfer-aborted'; readonly target: NodeId; readonly reason: string }
  /**
   * Another configuration is in force: appended, or back in force since the entry that replaced it
   * was overwritten, or of a snapshot.
   */
  | { readonly kind: 'configuration'; readonly index: LogIndex; readonly of: Configuration }
  /**
   * An Append or snapshot would have replaced committed entries and was refused: some member's
   * disk lost acknowledged data. An operator must look.
   */
  | { readonly kind: 'committed-conflict'; readonly from: NodeId; readonly index: LogIndex };

/**
 * Why a proposal was not taken. A return value, not a throw: it can happen thousands of times a
 * second.
 */
export const ProposeResult = {
  Accepted: 0,
  /** Ask the leader. */
  NotLeader: 1,
  /** Leadership is being handed over: wait for the next leader. */
  Transferring: 2,
  /** uncommittedBytesMax is reached: try again later. */
  Full: 3,
} as const;
/** One of the values of ProposeResult. */
export type ProposeResult = (typeof ProposeResult)[keyof typeof ProposeResult];

/** What became of a request for another configuration. */
export const ChangeResult = {
  /** In force, to be committed. A joint one is left by the core once it is committed. */
  Accepted: 0,
  /** Ask the leader. */
  NotLeader: 1,
  /** Leadership is being handed over: wait for the next leader. */
  Transferring: 2,
  /** Another change is under way, or the leader has not committed anything yet: try again. */
  Pending: 3,
} as const;
/** One of the values of ChangeResult. */
export type ChangeResult = (typeof ChangeResult)[keyof typeof ChangeResult];

/** What became of a request to hand leadership over. */
export const TransferResult = {
  /** Under way: ends with a new leader or a transfer-aborted event. */
  Accepted: 0,
  /** Ask the leader. */
  NotLeader: 1,
  /** The target is no member. */
  UnknownTarget: 2,
  /** The target is a learner: it cannot lead. */
  LearnerTarget: 3,
  /** The target leads already. */
  AlreadyLeader: 4,
} as const;
/** One of the values of TransferResult. */
export type TransferResult = (typeof TransferResult)[keyof typeof TransferResult];

/** How a leader feeds one peer. */
export const ProgressState = {
  /** Where the peer's log agrees is unknown: one Append at a time. */
  Probe: 0,
  /** Known: Appends are pipelined. */
  Replicate: 1,
  /** The peer needs entries that are gone: it waits for a snapshot. */
  Snapshot: 2,
} as const;
/** One of the values of ProgressState. */
export type ProgressState = (typeof ProgressState)[keyof typeof ProgressState];

/** A peer as its leader sees it. */
export type PeerProgress = {
  readonly id: NodeId;
  readonly isLearner: boolean;
  readonly state: ProgressState;
  /** The highest index known to be on the peer's disk. */
  readonly match: LogIndex;
  /** The next index to be sent. */
  readonly next: LogIndex;
  /** Heard from since the last check of the quorum. */
  readonly isActive: boolean;
  /** Appends on the way. */
  readonly inflightCount: number;
};

/** What a core knows, copied out. */
export type RaftStatus = {
  readonly id: NodeId;
  readonly role: Role;
  readonly isLearner: boolean;
  readonly term: Term;
  readonly vote: NodeId;
  readonly leader: NodeId;
  /** The place before the first entry in memory. */
  readonly startIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  readonly commitIndex: LogIndex;
  /** The last committed entry handed out to be applied. */
  readonly handedOutIndex: LogIndex;
  /** The last entry known to be on this member's disk. */
  readonly persistedIndex: LogIndex;
  /** Entries in memory and their bytes, ENTRY_OVERHEAD_BYTES each included. */
  readonly logEntries: number;
  readonly logBytes: number;
  readonly uncommittedBytes: number;
  /** NO_NODE outside a transfer. */
  readonly transferTarget: NodeId;
  readonly configuration: Configuration;
  /** The place in the log that the configuration in force came from. */
  readonly configurationIndex: LogIndex;
  /** Ascending by id; empty unless leader. */
  readonly progress: readonly PeerProgress[];
};
