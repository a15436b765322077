/**
 * Asking who the members are, and changing that: what operators ask of a running cluster. Part of
 * include/rpc.ts, which exports it.
 *
 * A change is a list of steps that take effect together. Who is added to vote joins as a learner
 * first; the leader promotes it once it has caught up, and only then lets those go that the same
 * change removes: a node is replaced in one change, and at no time does anybody count who is not
 * ready. The removal of a leader hands leadership over first.
 */

import type { Configuration, NodeId } from './configuration.ts';

/** What a step does. The number is what the wire carries. */
export const MemberStepKind = {
  Add: 0,
  /** Makes a learner that has caught up a voter. */
  Promote: 1,
  Remove: 2,
  /** Changes what is known of a member. */
  Update: 3,
} as const;
/** One of the values of MemberStepKind. */
export type MemberStepKind = (typeof MemberStepKind)[keyof typeof MemberStepKind];

/**
 * One step of a change. One shape for all kinds; what a kind does not use is NO_NODE, empty or 0.
 *
 * - Add: everything but `id`, which the cluster gives.
 * - Promote, Remove: `id`.
 * - Update: `id`, and what is to be different; empty or 0 leaves a field as it is.
 */
export type MemberStep = {
  readonly kind: MemberStepKind;
  readonly id: NodeId;
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** 0 for none. */
  readonly clientPort: number;
  /** Of Add: it is to stay a learner. */
  readonly isLearner: boolean;
};

/** Asks for the members (etcd MemberList). */
export type MemberListRequest = {
  /** As the node asked knows them, maybe not the newest. */
  readonly serializable: boolean;
};

/** Changes the members. */
export type MemberChangeRequest = {
  /** 1 to MEMBER_STEPS_MAX. */
  readonly steps: readonly MemberStep[];
  /**
   * Although it is not safe: see UnhealthyCluster, LearnerNotReady. Who is added counts at once.
   * No force helps against NotEnoughStarted.
   */
  readonly force: boolean;
};

/** Who the members are, as the node that answers has applied it. */
export type MembersReport = {
  readonly configuration: Configuration;
};

/** What a change came to: `added` are the ids given, in the order of the steps. */
export type MemberChangeReport = MembersReport & { readonly added: readonly NodeId[] };

/** Most steps of one change. */
export const MEMBER_STEPS_MAX = 64;

/** Most members of a cluster, learners included: beyond a few dozen, more members only cost. */
export const MEMBERS_MAX = 64;

/** Most learners at a time, those on their way to vote included: each costs the leader a stream. */
export const LEARNERS_MAX = 8;

/**
 * Log entries by which a learner may lag behind to be promoted: what a leader sends in a fraction
 * of a second. A learner that still gets a snapshot, or of which nothing was heard, is not ready.
 */
export const LEARNER_LAG_ENTRIES_MAX = 5_000;
