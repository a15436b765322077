/**
 * Who belongs to a cluster: whose votes count, and what is known of each member. Part of
 * include/raft.ts, which exports it.
 */

/**
 * A node's number, 0 to NODE_ID_MAX. It names the member in Raft and on the wire, and is never
 * given to another: a cluster draws new ones from Roster.nextId.
 */
export type NodeId = number;

/** The largest node id: ids travel as u32, the top value means none. */
export const NODE_ID_MAX = 0xffff_fffe;

/** Stands where no node is meant: no leader known, no vote cast. Travels as 0xffffffff. */
export const NO_NODE = -1;

/**
 * Who counts. Each list is ascending and free of doubles. While `outgoing` is not empty the
 * configuration is joint: elections and commits need a majority of both lists (thesis 4.3).
 */
export type Configuration = {
  /** Members whose votes count. */
  readonly voters: readonly NodeId[];
  /** The voters of the configuration being left; empty outside a change. */
  readonly outgoing: readonly NodeId[];
  /**
   * Members that receive the log but neither vote nor count. A voter that is to become one is in
   * `outgoing` too while the change is under way.
   */
  readonly learners: readonly NodeId[];
  /** What is known of the members; undefined where only their ids matter. */
  readonly roster?: Roster;
};

/** What a cluster knows of its members, the same on all of them. */
export type Roster = {
  /**
   * The id of the next member to be added. One below it that is no member was removed, or never was
   * one.
   */
  readonly nextId: NodeId;
  /** Ascending by id; all members of the configuration's lists. */
  readonly members: readonly MemberRecord[];
};

/** What a member is meant to become. The number is what log and wire carry. */
export const MemberGoal = {
  /** To vote: a learner with this goal is promoted by the leader once it has caught up. */
  Voter: 0,
  /** To stay a learner. */
  Learner: 1,
  /** To be removed, once no learner is on its way to be a voter any more. */
  Gone: 2,
} as const;
/** One of the values of MemberGoal. */
export type MemberGoal = (typeof MemberGoal)[keyof typeof MemberGoal];

/** One member. */
export type MemberRecord = {
  readonly id: NodeId;
  /** For people; empty until the member was started for the first time (etcd). */
  readonly name: string;
  /** Host name or IP address that peers and clients reach the member at; it listens there too. */
  readonly address: string;
  /** TCP port of peers and native clients, 1 to 65535. */
  readonly port: number;
  /** Port of the etcd-compatible gateway, if it has one. */
  readonly clientPort: number | undefined;
  readonly goal: MemberGoal;
};

/** Most bytes of a member's name in UTF-8. */
export const MEMBER_NAME_BYTES_MAX = 255;
