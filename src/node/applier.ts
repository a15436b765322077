/**
 * Committed entries on their way into the store, and their answers on the way back.
 *
 * Applied in log order, a slice a turn, so that a long backlog delays no heartbeat. An entry that
 * was proposed here answers its client; a refusal by the store is a result like any other, the same
 * on every member.
 *
 * While a large deletion is under way, an entry that would write its keys waits, and all behind it.
 *
 * Invariant: the store's applied index ascends by one; entries it has already are skipped.
 */

import {
  type CompactRequest,
  UNFLUSHED_BYTES_MAX,
  type WriteResult,
} from '../../include/kvstore.ts';
import {
  APPLY_SLICE_ENTRIES,
  APPLY_SLICE_MS,
  type Configuration,
  type Entry,
  EntryType,
  type LogIndex,
  SLOW_APPLY_MS,
} from '../../include/node.ts';
import { ErrorCode, FrameType, type LoggedCommand, type ReplyHeader } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import type { Clock } from '../clock.ts';
import type { Store } from '../kvstore/store.ts';
import { Ring } from '../ring.ts';
import { decodeCommand } from '../rpc/command-codec.ts';
import { type ApplyResult, applyCommand } from './apply-command.ts';
import { isHeldUp } from './held-up.ts';
import type { Lessor } from './lessor.ts';
import type { NodeMetrics } from './node-metrics.ts';
import type { Proposal, Proposals } from './proposals.ts';
import { writeReply } from './write-reply.ts';

/** What a member lends its applier. */
export type ApplierOptions = {
  readonly store: Store;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly proposals: Proposals;
  /** Told of what concerns the time of leases and sessions. */
  readonly lessor: Lessor;
  readonly metrics: NodeMetrics;
  /** The head of a reply as of now. */
  readonly header: (revision: number) => ReplyHeader;
  /** Who belonged to the cluster when the entry was the last of the log. */
  readonly configurationAt: (index: LogIndex) => Configuration;
  /** A check was applied: to begin from the state as it is. */
  readonly onHashCheck: (index: LogIndex) => void;
  /** A configuration was applied. */
  readonly onConfiguration: (entry: Entry, configuration: Configuration) => void;
  /** A proposal was answered, or refused by the store. */
  readonly onAnswered: (proposal: Proposal, nowMs: number) => void;
  /** A proposal that never took effect (its entry was overwritten), or that another must answer. */
  readonly onLost: (proposal: Proposal) => void;
};

/** A compaction that is answered once its data is gone. */
type PhysicalCompaction = {
  readonly revision: number;
  readonly proposal: Proposal;
  readonly result: WriteResult;
};

/** A write that is answered once the deletion it began has ended, or that of an earlier sending. */
type WaitingDeletion = {
  /** The revision that the deletion made. */
  readonly revision: number;
  readonly proposal: Proposal;
};

/** The committed entries of a member that wait to be applied. */
export class Applier {
  readonly #options: ApplierOptions;
  readonly #waiting = new Ring<Entry>();
  #compactions: PhysicalCompaction[] = [];
  #deletions: WaitingDeletion[] = [];
  /** The next entry waits for a deletion under way. */
  #isHeldUp = false;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** Entries that wait. */
  get backlog(): number {
    return this.#waiting.count;
  }

  /** Takes committed entries, in log order. */
  add(entries: readonly Entry[]): void {
    for (let slot = 0; slot < entries.length; slot += 1) this.#waiting.push(entries[slot]!);
  }

  /**
   * Applies a slice: by count, and by time, since one entry may end hundreds of leases. Stops while
   * the store's flush lags too far behind.
   */
  run(): void {
    if (this.#waiting.count === 0) return;
    const { store, clock, metrics, onAnswered } = this.#options;
    let beganMs = clock.nowMs();
    const untilMs = beganMs + APPLY_SLICE_MS;
    for (let count = 0; count < APPLY_SLICE_ENTRIES; count += 1) {
      const entry = this.#waiting.peek();
      if (entry === undefined || store.unflushedBytes() >= UNFLUSHED_BYTES_MAX) return;
      this.#isHeldUp = this.#mustWait(entry);
      if (this.#isHeldUp) return;
      this.#waiting.shift();
      const answered = this.#apply(entry);
      const nowMs = clock.nowMs();
      if (answered !== undefined) onAnswered(answered, nowMs);
      if (nowMs - beganMs >= SLOW_APPLY_MS) metrics.slowApplies += 1;
      if (nowMs >= untilMs) return;
      beganMs = nowMs;
    }
  }

  /** Whether `run` could go on now. */
  get canRun(): boolean {
    if (this.#waiting.count === 0 || this.#isHeldUp) return false;
    return this.#options.store.unflushedBytes() < UNFLUSHED_BYTES_MAX;
  }

  /** A snapshot took the place of what waited. */
  clear(): void {
    this.#waiting.clear();
    this.#isHeldUp = false;
  }

  /** The snapshot is in place: what deletions came to that ended elsewhere, others must tell. */
  replaced(): void {
    const { deletions } = this.#options.store;
    const lost = this.#deletions.filter(({ revision }) => !deletions.has(revision));
    this.#deletions = this.#deletions.filter(({ revision }) => deletions.has(revision));
    for (const { proposal } of lost) this.#options.onLost(proposal);
    this.#answerCompactions();
  }

  /** Goes on with a deletion under way; answers those who waited for it. Whether more is left. */
  deleteStep(): boolean {
    const { store, clock, onAnswered } = this.#options;
    const { deletions } = store;
    const hasMore = deletions.step();
    for (const { revision, answer } of deletions.takeEnded()) {
      const done = this.#deletions.filter((waiting) => waiting.revision === revision);
      this.#deletions = this.#deletions.filter((waiting) => waiting.revision !== revision);
      for (const { proposal } of done) {
        if (this.#settle(proposal, answer)) onAnswered(proposal, clock.nowMs());
      }
    }
    return hasMore;
  }

  /**
   * Removes some of what is compacted; answers those who waited for it. Returns whether more is
   * left.
   */
  compactStep(): boolean {
    const hasMore = this.#options.store.compactStep();
    if (this.#compactions.length > 0) this.#answerCompactions();
    return hasMore;
  }

  #answerCompactions(): void {
    const { store, clock, onAnswered } = this.#options;
    const removed = store.compactedPhysically();
    const done = this.#compactions.filter((waiting) => waiting.revision <= removed);
    this.#compactions = this.#compactions.filter((waiting) => waiting.revision > removed);
    for (const { proposal, result } of done) {
      this.#answer(proposal, result);
      onAnswered(proposal, clock.nowMs());
    }
  }

  #mustWait(entry: Entry): boolean {
    const { store } = this.#options;
    if (store.deletions.count() === 0 || entry.type !== EntryType.Command) return false;
    return isHeldUp(store, decodeCommand(entry.data));
  }

  /** Returns the proposal that the entry was, if that is answered. */
  #apply(entry: Entry): Proposal | undefined {
    const { store, proposals, onLost, configurationAt, onConfiguration, metrics } = this.#options;
    const { index, term } = entry;
    const applied = store.applied().index;
    if (index <= applied) return undefined;
    assert(index === applied + 1, 'entries are applied without a gap', index, applied);

    const proposal = proposals.take(index, term, onLost);
    let isAnswered = false;
    if (entry.type === EntryType.Command) {
      const command = proposal?.command ?? decodeCommand(entry.data);
      const result = applyCommand(store, command);
      metrics.applied(
        command.type === FrameType.Once ? command.command.type : command.type,
        result,
      );
      this.#tellLessor(command, result);
      if (proposal !== undefined) isAnswered = this.#settle(proposal, result);
      if (command.type === FrameType.HashCheck) this.#options.onHashCheck(index);
    }
    const configuration = configurationAt(index);
    store.setApplied({ index, term, configuration });
    if (entry.type === EntryType.Configuration) onConfiguration(entry, configuration);
    return isAnswered ? proposal : undefined;
  }

  /** Refusals too: a write of a session may be refused the second time only. */
  #tellLessor(logged: LoggedCommand, result: ApplyResult): void {
    const { lessor } = this.#options;
    const command = logged.type === FrameType.Once ? logged.command : logged;
    switch (command.type) {
      case FrameType.LeaseGrant:
      case FrameType.LeaseRevoke:
        return lessor.leaseChanged(command.body.id);
      case FrameType.SessionOpen:
        if (typeof result === 'object' && 'session' in result) lessor.sessionOpened(result.session);
        return;
      case FrameType.Expire:
        return lessor.settle(command.body);
    }
  }

  /** Answers, unless the answer has to wait; returns whether it did. */
  #settle(proposal: Proposal, result: ApplyResult): boolean {
    const { asker, id, command: logged } = proposal;
    const command = logged.type === FrameType.Once ? logged.command : logged;
    if (typeof result === 'number') {
      asker.refuse(id, result, undefined);
    } else if ('isUnderWay' in result) {
      this.#deletions.push({ revision: result.revision, proposal });
      return false;
    } else if (command.type === FrameType.Compact && this.#awaitsRemoval(command.body)) {
      this.#compactions.push({ revision: command.body.revision, proposal, result });
      return false;
    } else {
      this.#answer(proposal, result);
    }
    return true;
  }

  #awaitsRemoval({ physical, revision }: CompactRequest): boolean {
    return physical && this.#options.store.compactedPhysically() < revision;
  }

  #answer(proposal: Proposal, result: WriteResult): void {
    const { asker, id, command: logged } = proposal;
    const head = this.#options.header(result.revision);
    const command = logged.type === FrameType.Once ? logged.command : logged;
    if (command.type === FrameType.LeaseCheckpoint) {
      this.#answerKeepAlive(proposal, command.body.checkpoints[0]!.id, head);
      return;
    }
    assert(command.type !== FrameType.ClusterVersion, 'nobody waits for a version');
    const isAwaited = command.type !== FrameType.Expire && command.type !== FrameType.HashCheck;
    assert(isAwaited, 'nobody waits for an expiry, or a check');
    const reply = writeReply(head, command, result);
    if (reply === undefined) asker.refuse(id, ErrorCode.AnswerGiven, undefined);
    else asker.answer(id, reply);
  }

  /**
   * A checkpoint that somebody waits for is a renewal that clears one. Time is counted by who
   * proposed it, or by the leader after.
   */
  #answerKeepAlive(proposal: Proposal, lease: bigint, head: ReplyHeader): void {
    const { lessor, onLost } = this.#options;
    if (lessor.term !== proposal.term) return onLost(proposal);
    lessor.cleared(lease);
    const body = { ...head, id: lease, ttlSeconds: lessor.renew(lease) };
    proposal.asker.answer(proposal.id, { type: FrameType.LeaseKeepAlive, body });
  }
}
