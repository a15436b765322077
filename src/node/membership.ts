/**
 * Who belongs to the cluster, as one member deals with it: answers who the members are, carries out
 * what operators change, and, while it leads, promotes learners that have caught up.
 *
 *   request --plan--> this leader is to go: hands over, and points the client at its successor
 *      |
 *      +--> entry of the log --applied--> joint? the next configuration answers, else this one does
 *
 * A member that an applied configuration leaves out was removed: it tells its owner, who ends it.
 */

import {
  ChangeResult,
  type Configuration,
  type Entry,
  type LogIndex,
  MEMBER_TIMEOUT_MS,
  type MemberRecord,
  NO_NODE,
  type NodeId,
  ProgressState,
  Role,
  type Roster,
  type Term,
} from '../../include/node.ts';
import {
  ErrorCode,
  FrameType,
  LEARNER_LAG_ENTRIES_MAX,
  type MemberChangeRequest,
  type ReplyHeader,
} from '../../include/rpc.ts';
import type { Clock } from '../clock.ts';
import type { Asker } from './asker.ts';
import { type Health, nextStep, type Plan, planChange } from './plan-change.ts';
import * as core from './raft/raft.ts';
import { recordOf, wasRemoved } from './roster.ts';
import { chooseSuccessor } from './successor.ts';
import type { Transfers } from './transfers.ts';
import type { Transport } from './transport.ts';

/** What a member lends its membership. */
export type MembershipOptions = {
  readonly raft: core.Raft;
  readonly clock: Clock;
  readonly transport: Transport;
  readonly transfers: Transfers;
  /** What is known of the members while no configuration says it. */
  readonly roster: Roster;
  /** Who belonged to the cluster as of the last applied entry. */
  readonly applied: () => Configuration;
  /** The head of a reply as of now. */
  readonly header: () => ReplyHeader;
  /** Points a client at the leader. */
  readonly redirect: (asker: Asker, id: number) => void;
  /** This member was removed from the cluster. May be told more than once. */
  readonly onRemoved: () => void;
};

/** A change that a client waits for. */
type WaitingChange = {
  readonly asker: Asker;
  readonly id: number;
  readonly added: readonly NodeId[];
  /** Of the entry that began it. */
  readonly index: LogIndex;
  readonly term: Term;
  readonly deadlineMs: number;
  /** That entry was applied and is joint: the next configuration ends the change. */
  isJoint: boolean;
};

/** The membership of one member. */
export class Membership {
  readonly #options: MembershipOptions;
  #waiting: WaitingChange[] = [];

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.follow();
  }

  /** What is known of a member, as of the newest configuration; undefined for who is none. */
  record(id: NodeId): MemberRecord | undefined {
    return recordOf(this.#roster, id);
  }

  /** Another configuration may be in force: the network is to reach its members. */
  follow(): void {
    const { transport, raft } = this.#options;
    transport.follow(this.#roster.members, raft.configuration.learners);
  }

  /** Carries a change out, or says why not. */
  change(asker: Asker, id: number, request: MemberChangeRequest): void {
    const { raft, redirect } = this.#options;
    if (raft.role !== Role.Leader) return redirect(asker, id);
    if (!this.#isSettled) return asker.refuse(id, ErrorCode.ChangeUnderWay, undefined);
    const plan = planChange(this.#current, request, this.#health());
    if ('code' in plan) return asker.refuse(id, plan.code, plan.detail);
    const successor = this.#successorIn(plan.target);
    if (successor !== undefined) return this.#handOver(asker, id, successor);
    this.#begin(asker, id, plan);
  }

  /**
   * Says who the members are, as of what is applied. One that joins and was told nothing yet knows
   * none: it points the client at who does.
   */
  answer(asker: Asker, id: number): void {
    const { header, redirect } = this.#options;
    const configuration = this.#applied();
    if (configuration.roster.members.length === 0) return redirect(asker, id);
    const body = { ...header(), configuration };
    asker.answer(id, { type: FrameType.MemberList, body });
  }

  /** A configuration entry was applied. */
  applied({ index, term }: Entry, configuration: Configuration): void {
    const isJoint = configuration.outgoing.length > 0;
    for (const waiting of this.#waiting) {
      if (waiting.index === index && waiting.term === term && isJoint) waiting.isJoint = true;
    }
    const isOver = (waiting: WaitingChange): boolean => waiting.index <= index && !isJoint;
    for (const waiting of this.#take(isOver)) this.#settle(waiting, index, term);
    this.#options.transport.dropRemoved();
    this.checkRemoved();
  }

  /** Tells the owner if what is applied says that this member was removed. */
  checkRemoved(): void {
    const { applied, raft, onRemoved } = this.#options;
    if (wasRemoved(applied(), raft.id)) onRemoved();
  }

  /** Now and then: gives up who has waited too long; a leader lets learners vote. */
  tick(nowMs: number): void {
    for (const { asker, id } of this.#take(({ deadlineMs }) => deadlineMs <= nowMs)) {
      asker.refuse(id, ErrorCode.TimedOut, undefined);
    }
    const { raft, transfers } = this.#options;
    if (raft.role !== Role.Leader || !this.#isSettled) return;
    const target = nextStep(this.#current, this.#health());
    if (target === undefined) return;
    const successor = this.#successorIn(target);
    if (successor === undefined) core.changeConfiguration(raft, target);
    else transfers.begin(NOBODY, 0, successor);
  }

  /** Waiting clients are told that this member stops. */
  stop(): void {
    for (const { asker, id } of this.#take(() => true)) {
      asker.refuse(id, ErrorCode.Stopped, undefined);
    }
  }

  get #roster(): Roster {
    return this.#options.raft.configuration.roster ?? this.#options.roster;
  }

  get #current(): Configuration & { readonly roster: Roster } {
    return { ...this.#options.raft.configuration, roster: this.#roster };
  }

  /** No change is under way, and no transfer either. */
  get #isSettled(): boolean {
    const { raft } = this.#options;
    const { configuration, transferTarget } = raft;
    const isCommitted = core.raftStatus(raft).configurationIndex <= core.commitIndex(raft);
    return isCommitted && configuration.outgoing.length === 0 && transferTarget === NO_NODE;
  }

  #applied(): Configuration & { readonly roster: Roster } {
    return { roster: this.#options.roster, ...this.#options.applied() };
  }

  #begin(asker: Asker, id: number, { target, added }: Plan): void {
    const { raft, clock, redirect } = this.#options;
    switch (core.changeConfiguration(raft, target)) {
      case ChangeResult.NotLeader:
        return redirect(asker, id);
      case ChangeResult.Transferring:
      case ChangeResult.Pending:
        return asker.refuse(id, ErrorCode.ChangeUnderWay, undefined);
      case ChangeResult.Accepted: {
        const { term } = raft;
        const index = core.lastIndex(raft);
        const deadlineMs = clock.nowMs() + MEMBER_TIMEOUT_MS;
        this.#waiting.push({ asker, id, added, index, term, deadlineMs, isJoint: false });
      }
    }
  }

  /** Answers if the entry that began the change is the one that was applied there. */
  #settle(waiting: WaitingChange, index: LogIndex, term: Term): void {
    const { asker, id, added, isJoint } = waiting;
    const isDone = isJoint || (waiting.index === index && waiting.term === term);
    if (!isDone) return this.#options.redirect(asker, id);
    const body = { ...this.#options.header(), added, configuration: this.#applied() };
    asker.answer(id, { type: FrameType.MemberChange, body });
  }

  /** The change is the successor's to carry out. */
  #handOver(asker: Asker, id: number, successor: NodeId): void {
    const { transfers, redirect } = this.#options;
    const pointOn = (): void => redirect(asker, id);
    const refuse: Asker['refuse'] = (_id, code, detail) => asker.refuse(id, code, detail);
    transfers.begin({ answer: pointOn, redirect: pointOn, refuse }, 0, successor);
  }

  /** Who is to lead before `target` is aimed at, since this leader does not vote in it. */
  #successorIn(target: Configuration): NodeId | undefined {
    const { raft, transport } = this.#options;
    if (target.voters.includes(raft.id)) return undefined;
    return chooseSuccessor(raft, transport, (id) => target.voters.includes(id));
  }

  #health(): Health {
    const { raft, transport } = this.#options;
    const online = new Set([raft.id]);
    for (const peer of transport.peers()) if (peer.isOnline) online.add(peer.id);
    const { progress, lastIndex } = core.raftStatus(raft);
    return {
      isHealthy: (id) => online.has(id),
      isInSync: (id) => {
        const peer = progress.find((one) => one.id === id);
        if (peer?.state !== ProgressState.Replicate || !online.has(id)) return false;
        return lastIndex - peer.match <= LEARNER_LAG_ENTRIES_MAX;
      },
    };
  }

  #take(isMeant: (waiting: WaitingChange) => boolean): WaitingChange[] {
    const taken = this.#waiting.filter(isMeant);
    if (taken.length > 0) this.#waiting = this.#waiting.filter((waiting) => !isMeant(waiting));
    return taken;
  }
}

const NOBODY: Asker = { answer: () => {}, refuse: () => {}, redirect: () => {} };
