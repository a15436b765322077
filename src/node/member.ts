/**
 * The loop of one member: what the core says is carried out here, what happens is told to the core.
 *
 * All that happens in one turn of the event loop (frames, syncs, ticks) is gathered, then one pump
 * carries out what follows from it: one write to the log, one batch a peer, one write a client. So
 * a node that is busier does less for each request.
 *
 *   clients, peers, disk, clock --> core --> log, peers, store --> clients
 *
 * Invariants: nothing that rests on the log leaves before its sync (DurableWrites); while a
 * snapshot is being installed the store is not touched and no Ready is taken.
 */

import { WATCH_PROGRESS_MS } from '../../include/kvstore.ts';
import {
  DEADLINE_CHECK_MS,
  type Message,
  NO_NODE,
  type NodeId,
  type Ready,
  type SnapshotMeta,
  TICK_MS,
  WRITE_WAIT_MAX_MS,
} from '../../include/node.ts';
import { ErrorCode, type MemberReport, type ReplyHeader } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import type { Timer } from '../clock.ts';
import type { Store } from '../kvstore/store.ts';
import type { Asker } from './asker.ts';
import { explain, redirect } from './directions.ts';
import { DurableWrites } from './durable-writes.ts';
import { logRaftEvent } from './event-log.ts';
import { FirstElection } from './first-election.ts';
import { LogTrim } from './log-trim.ts';
import type { MemberOptions } from './member-options.ts';
import { Membership } from './membership.ts';
import type { NodeMetrics } from './node-metrics.ts';
import { Proposals } from './proposals.ts';
import { Proposer } from './proposer.ts';
import * as core from './raft/raft.ts';
import { type Read, Reads } from './reads.ts';
import { RequestTimes } from './request-times.ts';
import { Serving } from './serving.ts';
import { Transfers } from './transfers.ts';

/** One member at work. Clients ask it through client-requests.ts. */
export class Member {
  readonly options: MemberOptions;
  readonly raft: core.Raft;
  readonly store: Store;
  readonly proposals = new Proposals();
  readonly reads: Reads;
  readonly metrics: NodeMetrics;
  readonly times: RequestTimes;
  readonly proposer: Proposer;
  readonly transfers: Transfers;
  readonly serving: Serving;
  readonly membership: Membership;

  readonly #writes: DurableWrites;
  readonly #logTrim: LogTrim;
  readonly #firstElection: FirstElection;
  #isPumpScheduled = false;
  #isReadRefused = false;
  #isInstalling = false;
  #isStopped = false;
  #timers: Timer[] = [];
  #deadlinesCheckedMs = 0;
  #isLate = false;

  constructor(options: MemberOptions) {
    this.options = options;
    this.raft = options.raft;
    this.store = options.store;
    this.reads = new Reads(options.clock);
    this.metrics = options.metrics;
    this.times = new RequestTimes(options);
    this.proposer = new Proposer({
      raft: options.raft,
      proposals: this.proposals,
      clock: options.clock,
      metrics: this.metrics,
      redirect: (asker, id) => this.redirect(asker, id),
      schedulePump: () => this.schedulePump(),
      admits: (version) => this.serving.versions.admits(version),
    });
    this.transfers = new Transfers({
      raft: options.raft,
      clock: options.clock,
      redirect: (asker, id) => this.redirect(asker, id),
      header: () => this.header(this.store.revision()),
    });
    this.#writes = new DurableWrites(options.transport.send);
    this.#logTrim = new LogTrim(options);
    this.#firstElection = new FirstElection(options.raft, options.transport);
    const { raft, store, clock, transport, roster, onRemoved, onFatal } = options;
    this.membership = new Membership({
      raft,
      clock,
      transport,
      transfers: this.transfers,
      roster,
      applied: () => store.applied().configuration,
      header: () => this.header(store.revision()),
      redirect: (asker, id) => this.redirect(asker, id),
      onRemoved,
    });
    this.serving = new Serving({
      raft,
      store,
      clock,
      proposals: this.proposals,
      reads: this.reads,
      metrics: this.metrics,
      times: this.times,
      isOpen: () => !this.#isStopped && !this.#isInstalling,
      header: (revision) => this.header(revision),
      redirect: (asker, id) => this.redirect(asker, id),
      proposer: this.proposer,
      transport,
      protocolVersion: options.protocolVersion,
      upkeep: options.upkeep,
      log: options.log,
      onConfiguration: (entry, now) => this.membership.applied(entry, now),
      answerMembers: (asker, id) => this.membership.answer(asker, id),
      schedulePump: () => this.schedulePump(),
      onFatal,
    });
  }

  /** Starts to count ticks. */
  start(): void {
    assert(this.#timers.length === 0, 'a member starts once');
    const { clock, watchProgressMs = WATCH_PROGRESS_MS } = this.options;
    this.#timers = [
      clock.every(TICK_MS, () => this.tick()),
      clock.every(watchProgressMs, () => {
        this.serving.tellProgress();
        this.schedulePump();
      }),
    ];
    this.#firstElection.hurry();
    this.schedulePump();
  }

  /** Stops for good: waiting clients are told, nothing is carried out any more. */
  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) timer.cancel();
    this.proposals.drain(({ asker, id }) => asker.refuse(id, ErrorCode.Stopped, undefined));
    this.reads.expire(Number.POSITIVE_INFINITY, ({ asker, id }) =>
      asker.refuse(id, ErrorCode.Stopped, undefined),
    );
    this.membership.stop();
    this.options.transport.flush();
  }

  /** Whether clients are served. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Whether writes wait for so long that further ones had better not. */
  get isLate(): boolean {
    return this.#isLate;
  }

  /** Whether the store is being swapped: it answers nothing until then. */
  get isInstalling(): boolean {
    return this.#isInstalling;
  }

  /** The head of a reply. */
  header(revision: number): ReplyHeader {
    return {
      clusterId: this.options.clusterId,
      nodeId: this.raft.id,
      revision,
      term: this.raft.term,
    };
  }

  /** Takes a message from a peer. */
  receive(message: Message): void {
    if (this.#isStopped) return;
    core.step(this.raft, message);
    this.schedulePump();
  }

  /** Takes what a peer says about itself. */
  hear(from: NodeId, report: MemberReport): void {
    if (!this.#isStopped) this.serving.hear(from, report);
  }

  /** A peer's connection broke: its process may have died. */
  peerLost(id: NodeId): void {
    if (this.#isStopped) return;
    core.peerLost(this.raft, id);
    this.schedulePump();
  }

  /** A peer can be reached again: what was sent to it meanwhile is lost. */
  peerReachable(id: NodeId): void {
    if (this.#isStopped) return;
    core.peerUnreachable(this.raft, id);
    this.serving.peerIsBack();
    this.#firstElection.hurry();
    this.schedulePump();
  }

  /** The log has synced what `ticket` and all before it asked for. */
  synced(ticket: number): void {
    const writeNumber = this.#writes.release(ticket);
    this.times.synced(ticket);
    if (this.#isStopped) return;
    if (writeNumber > 0) core.persisted(this.raft, writeNumber);
    this.schedulePump();
  }

  /**
   * A snapshot of this term's leader is whole and durable beside the store; the core decides
   * whether to take it.
   */
  snapshotArrived(from: NodeId, meta: SnapshotMeta): void {
    if (this.#isStopped) return;
    core.stepSnapshot(this.raft, from, this.raft.term, meta);
    this.schedulePump();
  }

  /** One tick of the clock. */
  tick(): void {
    if (this.#isStopped) return;
    core.tick(this.raft);
    const nowMs = this.options.clock.nowMs();
    this.metrics.ticked(nowMs);
    const isCheckDue = nowMs - this.#deadlinesCheckedMs >= DEADLINE_CHECK_MS;
    if (isCheckDue) {
      this.#deadlinesCheckedMs = nowMs;
      this.#expire(nowMs);
    }
    if (!this.#isInstalling) this.serving.tick();
    // Whoever has something to do asks for a pump; what is due by its time is looked at as seldom
    // as deadlines are, so that a node at rest does next to nothing.
    if (isCheckDue || this.reads.isRoundDue || core.hasReady(this.raft)) this.schedulePump();
  }

  /** Asks for a pump at the end of this turn. */
  schedulePump(): void {
    if (this.#isPumpScheduled) return;
    this.#isPumpScheduled = true;
    this.options.clock.soon(this.#pump);
  }

  readonly #pump = (): void => {
    this.#isPumpScheduled = false;
    if (this.#isStopped) return;
    try {
      this.#carryOutAll();
      // Peers first: they work while this member applies.
      this.options.transport.flush();
      if (!this.#isInstalling) {
        this.#logTrim.run();
        this.serving.run();
      }
      this.options.transport.flush();
    } catch (cause) {
      this.options.onFatal(cause);
    }
  };

  #carryOutAll(): void {
    this.#isReadRefused = false;
    for (;;) {
      // A round that was refused is not asked again in the same pump: nothing would have changed.
      const round = this.#isReadRefused ? 0 : this.reads.beginRound();
      if (round > 0) core.readIndex(this.raft, round);
      if (this.#isInstalling || !core.hasReady(this.raft)) return;
      this.#carryOut(core.ready(this.raft));
    }
  }

  #carryOut(ready: Ready): void {
    const { transport } = this.options;
    for (let slot = 0; slot < ready.messages.length; slot += 1)
      transport.send(ready.messages[slot]!);
    // On their way before the disk is asked: peers write at the same time.
    if (ready.messages.length > 0) transport.flush();
    if (ready.snapshot === undefined) this.#persist(ready);
    else this.#install(ready, ready.snapshot);
    this.serving.add(ready.committed);
    this.times.committed(ready.committed);
    for (const grant of ready.reads) this.reads.grant(grant);
    for (const round of ready.readsRefused) this.#refuseRound(round);
    for (const wanted of ready.snapshotsWanted) this.#sendSnapshot(wanted.to);
    for (const event of ready.events) {
      logRaftEvent(this.options.log, event);
      if (event.kind === 'leader' && event.leader !== NO_NODE) this.metrics.leaderChanges += 1;
      this.transfers.settle(event);
      if (event.kind === 'configuration') this.membership.follow();
    }
  }

  /**
   * A read round came to nothing: asked again if there is a leader, given back to the clients if
   * not.
   */
  #refuseRound(round: number): void {
    this.#isReadRefused = true;
    this.reads.refuse(round);
    if (this.raft.leader !== NO_NODE) return;
    const detail = explain(ErrorCode.NoLeader, this.options.transport);
    for (const { asker, id } of this.reads.takeGathering()) {
      asker.refuse(id, ErrorCode.NoLeader, detail);
    }
  }

  #persist(ready: Ready): void {
    const { hardState, entries, mustSync } = ready;
    let ticket = this.#newestTicket;
    if (hardState !== undefined || entries.length > 0) {
      ticket = this.options.wal.append(hardState, entries, mustSync);
      if (mustSync) this.#newestTicket = ticket;
      this.times.appended(entries, ticket);
    }
    this.#writes.add(ready, ticket);
  }

  /** The newest ticket whose sync was asked for. */
  #newestTicket = 0;

  #install(ready: Ready, meta: SnapshotMeta): void {
    this.#isInstalling = true;
    this.serving.clear();
    this.options.log.info('installing a snapshot', { index: meta.index, term: meta.term });
    this.store.installSnapshot().then(() => {
      if (this.#isStopped) return;
      this.#newestTicket = this.options.wal.saveSnapshot(meta);
      this.#persist(ready);
      this.#isInstalling = false;
      this.serving.replaced();
      this.options.log.info('snapshot installed', {
        index: meta.index,
        revision: this.store.revision(),
      });
      this.schedulePump();
    }, this.options.onFatal);
  }

  #sendSnapshot(to: NodeId): void {
    const { transport, log } = this.options;
    log.info('sending a snapshot', { peer: to, index: this.store.applied().index });
    transport.sendSnapshot(to, (isDelivered, index) => {
      if (this.#isStopped) return;
      log.info(isDelivered ? 'snapshot delivered' : 'snapshot not delivered', { peer: to, index });
      core.snapshotSent(this.raft, to, isDelivered, index);
      this.schedulePump();
    });
  }

  #expire(nowMs: number): void {
    this.#isLate = nowMs - this.proposals.oldestMs >= WRITE_WAIT_MAX_MS;
    const giveUp = ({ asker, id }: Pick<Read, 'asker' | 'id'>): void =>
      asker.refuse(id, ErrorCode.TimedOut, explain(ErrorCode.TimedOut, this.options.transport));
    this.proposals.expire(nowMs, (proposal) => {
      this.metrics.proposalsFailed += 1;
      this.times.gaveUpWrite(proposal, nowMs);
      giveUp(proposal);
    });
    this.reads.expire(nowMs, (read, stage) => {
      this.metrics.readsFailed += 1;
      this.times.gaveUpRead(read, stage, nowMs);
      giveUp(read);
    });
    this.transfers.expire(nowMs);
    this.membership.tick(nowMs);
  }

  /** Points a client at the leader, or says that there is none. */
  redirect(asker: Asker, id: number): void {
    const { id: self, leader } = this.raft;
    const record = (of: NodeId) => this.membership.record(of);
    redirect(asker, id, { self, leader }, { record, transport: this.options.transport });
  }
}
