/**
 * What a member does with its store: applies what is committed, answers the reads that waited for
 * it, tells the watches, counts the time of leases, removes what is compacted, flushes.
 *
 * Called in each pump while the store may be used; never while a snapshot is being installed.
 */

import type { Log } from '../../include/log.ts';
import {
  type Configuration,
  type Entry,
  type NodeId,
  Role,
  type Term,
  type Upkeep,
} from '../../include/node.ts';
import {
  ErrorCode,
  FrameType,
  type InternalCommand,
  type MemberReport,
  type ReplyHeader,
} from '../../include/rpc.ts';
import type { Clock } from '../clock.ts';
import type { Store } from '../kvstore/store.ts';
import { encodeCommand } from '../rpc/command-codec.ts';
import { type AnswerOptions, answerHash, answerLeaseList, answerRead } from './answer-read.ts';
import { Applier } from './applier.ts';
import type { Asker } from './asker.ts';
import { Lessor, NO_TERM } from './lessor.ts';
import type { NodeMetrics } from './node-metrics.ts';
import type { Proposals } from './proposals.ts';
import type { Proposer } from './proposer.ts';
import * as core from './raft/raft.ts';
import { Readings } from './readings.ts';
import type { Read, Reads, Round } from './reads.ts';
import { Removal } from './removal.ts';
import { type RequestTimes, UNTIMED } from './request-times.ts';
import { SnapshotExports } from './snapshot-exports.ts';
import { Throttle } from './throttle.ts';
import type { Transport } from './transport.ts';
import { MemberUpkeep } from './upkeep.ts';
import { Versions } from './versions.ts';

/** What a member lends. */
export type ServingOptions = {
  readonly raft: core.Raft;
  readonly store: Store;
  readonly clock: Clock;
  readonly proposals: Proposals;
  readonly reads: Reads;
  readonly metrics: NodeMetrics;
  readonly times: RequestTimes;
  /** Whether the store may be used now. */
  readonly isOpen: () => boolean;
  /** The head of a reply as of now. */
  readonly header: (revision: number) => ReplyHeader;
  /** Points a client at the leader. */
  readonly redirect: (asker: Asker, id: number) => void;
  readonly proposer: Proposer;
  readonly transport: Transport;
  /** What this member speaks. */
  readonly protocolVersion: number;
  readonly upkeep: Upkeep;
  readonly log: Log;
  /** A configuration was applied. */
  readonly onConfiguration: (entry: Entry, configuration: Configuration) => void;
  /** Says who the members are. */
  readonly answerMembers: (asker: Asker, id: number) => void;
  /** Asks for another pump. */
  readonly schedulePump: () => void;
  readonly onFatal: (cause: unknown) => void;
};

/** The store of a member at work. */
export class Serving {
  readonly #options: ServingOptions;
  readonly #lessor: Lessor;
  readonly #applier: Applier;
  readonly #answers: AnswerOptions;
  readonly #upkeep: MemberUpkeep;
  /** What the members speak. */
  readonly versions: Versions;
  readonly #readings = new Readings();
  /** The state on its way out. */
  readonly snapshots: SnapshotExports;
  /** Reads of a round that is being answered. */
  readonly #answered: Read[] = [];
  #isAnsweringRound = false;
  #readsCount = 0;
  readonly #removal: Removal;

  constructor(options: ServingOptions) {
    this.#options = options;
    const { store, clock, proposals, header, redirect, raft, proposer, metrics, times } = options;
    const lessor = new Lessor({ store, clock, propose: (command) => proposer.propose(command) });
    this.#lessor = lessor;
    this.versions = new Versions({ ...options, propose: (command) => proposer.propose(command) });
    const { answerMembers } = options;
    const propose = (asker: Asker, id: number, command: InternalCommand): boolean =>
      proposer.proposeFor(asker, id, encodeCommand(command), command);
    const readings = this.#readings;
    const { isOpen, onFatal } = options;
    const throttle = new Throttle(clock, () => store.applied().index + this.#readsCount);
    this.snapshots = new SnapshotExports({ store, clock, throttle, isOpen, onFatal });
    this.#upkeep = new MemberUpkeep({ ...options, readings });
    const isCorrupt = (): boolean => this.isCorrupt;
    const asking = { header, redirect, propose, answerMembers, isCorrupt };
    const onAnswered = (read: Read, round: Round | undefined): void => this.#onRead(read, round);
    this.#answers = { store, lessor, readings, ...asking, onAnswered };
    this.#applier = new Applier({
      store,
      clock,
      proposals,
      lessor,
      metrics,
      header,
      onAnswered: (proposal, nowMs) => times.wrote(proposal, nowMs),
      configurationAt: (index) => core.configurationAt(raft, index),
      onHashCheck: (index) => this.#upkeep.beginCheck(index),
      onConfiguration: options.onConfiguration,
      onLost: ({ asker, id }) => {
        metrics.proposalsFailed += 1;
        redirect(asker, id);
      },
    });
    this.#removal = new Removal({
      ...{ store, clock, throttle, isOpen, onFatal },
      deleteStep: () => this.#applier.deleteStep(),
      compactStep: () => this.#applier.compactStep(),
      onStep: options.schedulePump,
    });
  }

  /** Committed entries that wait to be applied. */
  get backlog(): number {
    return this.#applier.backlog;
  }

  /** Takes committed entries, in log order. */
  add(entries: readonly Entry[]): void {
    this.#applier.add(entries);
  }

  /** A snapshot takes the place of what waits to be applied. */
  clear(): void {
    this.#applier.clear();
  }

  /** The snapshot is in place. */
  replaced(): void {
    this.#options.store.watches.storeReplaced();
    this.#applier.replaced();
  }

  /** The share of a pump: a slice of what there is to do; asks for another pump for the rest. */
  run(): void {
    const { store, reads, clock, schedulePump } = this.#options;
    this.#lessor.follow(this.#leadingTerm());
    this.#applier.run();
    const { index } = store.applied();
    for (;;) {
      const ready = reads.takeReady(index);
      if (ready === undefined) break;
      this.#answerRound(ready);
    }
    this.#readings.step();
    const hasUntold = this.#tellWatches();
    this.#flush(clock.nowMs());
    if (hasUntold || this.#applier.canRun || this.#readings.count > 0) schedulePump();
    this.#removal.run();
  }

  /** One tick of the clock. */
  tick(): void {
    this.#lessor.follow(this.#leadingTerm());
    this.#lessor.tick();
    this.#upkeep.tick();
    this.versions.tick();
  }

  /** Takes what a peer says about itself. */
  hear(from: NodeId, report: MemberReport): void {
    this.#upkeep.hear(from, report);
  }

  /** A peer can be reached again. */
  peerIsBack(): void {
    this.#upkeep.peerIsBack();
  }

  /** Whether what this member holds is known to be wrong: it must not be told to anybody. */
  get isCorrupt(): boolean {
    return this.#upkeep.isCorrupt;
  }

  /** Tells the watches that asked for it how far they are. */
  tellProgress(): void {
    if (this.#options.isOpen()) this.#options.store.watches.tellProgress();
  }

  /** Reads under way that take several turns. */
  get readingsCount(): number {
    return this.#readings.count;
  }

  /** Answers a read from the store as it is. */
  answerRead(read: Read): void {
    answerRead(this.#answers, read, undefined);
    if (this.#readings.count > 0) this.#options.schedulePump();
  }

  /** Hashes the history of keys, and answers when that is done. */
  answerHash(asker: Asker, id: number, revision: number): void {
    answerHash(this.#answers, asker, id, revision);
    this.#options.schedulePump();
  }

  /** Goes on with something turn by turn, until `step` says that it is done. */
  addSteps(step: () => boolean): void {
    this.#readings.addSteps(step);
    this.#options.schedulePump();
  }

  /** Names all leases. */
  answerLeaseList(asker: Asker, id: number): void {
    answerLeaseList(this.#answers, asker, id);
  }

  /** Tells watches what is new, or ends them; returns whether some are left for another pump. */
  #tellWatches(): boolean {
    const { watches } = this.#options.store;
    if (this.isCorrupt) return watches.endAll(ErrorCode.CorruptCluster);
    watches.notify();
    return watches.catchUp();
  }

  #flush(nowMs: number): void {
    const { store, clock, metrics, schedulePump, onFatal } = this.#options;
    store.flushIfDue(nowMs)?.then(() => {
      metrics.flushes.observe((clock.nowMs() - nowMs) / 1_000);
      schedulePump();
    }, onFatal);
  }

  /** The answers leave together, so they are timed together: a look at the clock costs as much. */
  #answerRound(round: Round): void {
    const { times, clock } = this.#options;
    this.#isAnsweringRound = true;
    for (const read of round.reads) answerRead(this.#answers, read, round);
    this.#isAnsweringRound = false;
    const nowMs = clock.nowMs();
    for (const read of this.#answered) times.read(read, round, nowMs);
    this.#answered.length = 0;
  }

  #onRead(read: Read, round: Round | undefined): void {
    const { times, clock, metrics } = this.#options;
    this.#readsCount += 1;
    if (read.request.type === FrameType.Range) metrics.ranges += 1;
    if (this.#isAnsweringRound) this.#answered.push(read);
    else if (read.receivedMs !== UNTIMED) times.read(read, round, clock.nowMs());
  }

  #leadingTerm(): Term {
    const { raft } = this.#options;
    return raft.role === Role.Leader ? raft.term : NO_TERM;
  }
}
