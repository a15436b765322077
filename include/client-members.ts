/**
 * The members of a cluster, as a user of the client library asks for and changes them. Part of
 * include/client.ts, which exports it.
 */

import type { CallOptions } from './client-data.ts';
import type { MemberGoal, NodeId } from './configuration.ts';
import type { ReplyHeader } from './rpc.ts';

/** One member. */
export type Member = {
  readonly id: NodeId;
  /** Empty until the member was started for the first time (etcd). */
  readonly name: string;
  /** Where it listens for peers and native clients. */
  readonly address: string;
  readonly port: number;
  /** Port of the etcd-compatible gateway, if it has one. */
  readonly clientPort: number | undefined;
  /** Its vote does not count, not yet or not at all: see `goal`. */
  readonly isLearner: boolean;
  /** What it is to become. */
  readonly goal: MemberGoal;
};

/** The members, ascending by id. */
export type MembersReply = ReplyHeader & { readonly members: readonly Member[] };

/** A change that took place; `added` are the ids given, in the order of the steps. */
export type ChangedMembersReply = MembersReply & { readonly added: readonly NodeId[] };

/** How to ask for the members. */
export type MembersOptions = CallOptions & {
  /** As the node asked knows them, maybe not the newest; false when left out. */
  readonly serializable?: boolean;
};

/** A member to be. */
export type NewMember = {
  /** Host name or IP address that it will be reached at. */
  readonly address: string;
  readonly port: number;
  /** Empty when left out: it names itself when it is started. */
  readonly name?: string;
  readonly clientPort?: number;
  /** It is to stay a learner; false when left out: it votes once it has caught up. */
  readonly isLearner?: boolean;
};

/** What is to be different of a member; what is left out stays. */
export type MemberUpdate = {
  readonly address?: string;
  readonly port?: number;
  readonly name?: string;
  readonly clientPort?: number;
};

/** One step of a change: all steps of one take effect together. */
export type MemberChange =
  | { readonly add: NewMember }
  | { readonly promote: NodeId }
  | { readonly remove: NodeId }
  | ({ readonly update: NodeId } & MemberUpdate);

/** How to change the members. */
export type ChangeMembersOptions = CallOptions & {
  /**
   * Although fewer members may fail then (UnhealthyCluster), or a learner lags (LearnerNotReady);
   * false when left out. Who is added to vote counts at once. NotEnoughStarted stays a refusal.
   */
  readonly force?: boolean;
};

/**
 * The requests about members. A change whose outcome is unknown is not repeated: ask for the
 * members to see whether it took place.
 */
export type MemberRequests = {
  /** Who the members are. */
  readonly members: (options?: MembersOptions) => Promise<MembersReply>;
  /** Adds a member; it is then to be started. */
  readonly addMember: (
    member: NewMember,
    options?: ChangeMembersOptions,
  ) => Promise<ChangedMembersReply>;
  /** Makes a learner that has caught up vote. */
  readonly promoteMember: (
    id: NodeId,
    options?: ChangeMembersOptions,
  ) => Promise<ChangedMembersReply>;
  /** Removes a member, for good; it stops by itself. */
  readonly removeMember: (
    id: NodeId,
    options?: ChangeMembersOptions,
  ) => Promise<ChangedMembersReply>;
  /** Changes what is known of a member. */
  readonly updateMember: (
    id: NodeId,
    update: MemberUpdate,
    options?: ChangeMembersOptions,
  ) => Promise<ChangedMembersReply>;
  /**
   * Makes several changes in one step: replaces a node, for instance. Voters that are removed
   * together with an addition go when the added ones have caught up.
   */
  readonly changeMembers: (
    changes: readonly MemberChange[],
    options?: ChangeMembersOptions,
  ) => Promise<ChangedMembersReply>;
};
