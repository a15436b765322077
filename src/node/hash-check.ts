/**
 * Members compare what they hold: now and then, and when one has come back, the leader puts a
 * HashCheck into the log. Each member hashes its store as of that entry, step by step, and tells
 * the leader; whose hash is odd (odd-members.ts) gets the alarm Corrupt.
 *
 *   due --propose--> entry applied: begin --steps--> hash --report--> leader: judge --> alarm
 *
 * What is lost on the way (a report, the leader) is made up for by the next check. A check that
 * begins ends the one before it.
 */

import { AlarmKind, type HashResult, type Store } from '../../include/kvstore.ts';
import type { Log } from '../../include/log.ts';
import { type LogIndex, NO_NODE, type NodeId, Role } from '../../include/node.ts';
import { ErrorCode, FrameType, type HashReport } from '../../include/rpc.ts';
import type { Clock } from '../clock.ts';
import type { Alarms } from './alarms.ts';
import { oddMembers } from './odd-members.ts';
import type { Proposer } from './proposer.ts';
import type { Raft } from './raft/raft.ts';
import type { Readings } from './readings.ts';
import type { Transport } from './transport.ts';

/** A member that has come back is compared with the others after this part of the time between. */
const EARLY_PART = 0.1;

/** What a member lends its checks. */
export type HashCheckOptions = {
  readonly raft: Pick<Raft, 'id' | 'role' | 'leader'>;
  readonly store: Pick<Store, 'beginHash' | 'applied'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
  readonly proposer: Pick<Proposer, 'propose'>;
  readonly transport: Pick<Transport, 'report'>;
  readonly readings: Readings;
  readonly alarms: Pick<Alarms, 'raise'>;
  /** Milliseconds between checks; 0 for none. */
  readonly corruptCheckMs: number;
};

/** The newest check. */
type Round = { readonly index: LogIndex; readonly reports: Map<NodeId, HashResult> };

/** The checks of one member. */
export class HashCheck {
  readonly #options: HashCheckOptions;
  #round: Round | undefined;
  #isHashing = false;
  /** Of the last check that this member proposed. */
  #proposedMs = Number.NEGATIVE_INFINITY;
  #isWanted = true;

  constructor(options: HashCheckOptions) {
    this.#options = options;
  }

  /** Proposes a check when one is due. A leader begins with one. */
  tick(): void {
    const { raft, clock, proposer, corruptCheckMs } = this.#options;
    if (raft.role !== Role.Leader || corruptCheckMs === 0) {
      this.#isWanted = true;
      return;
    }
    const sinceMs = clock.nowMs() - this.#proposedMs;
    const dueMs = this.#isWanted ? corruptCheckMs * EARLY_PART : corruptCheckMs;
    if (sinceMs < dueMs || this.#isHashing) return;
    if (!proposer.propose({ type: FrameType.HashCheck })) return;
    this.#proposedMs = clock.nowMs();
    this.#isWanted = false;
  }

  /** A member can be reached again, maybe after a restart. */
  peerIsBack(): void {
    this.#isWanted = true;
  }

  /** The entry of a check was applied. */
  begin(index: LogIndex): void {
    const { store, readings, raft } = this.#options;
    const round: Round = { index, reports: new Map() };
    this.#round = round;
    this.#isHashing = true;
    const begun = store.beginHash(0);
    const isCurrent = (): boolean => this.#round === round;
    const reading =
      typeof begun === 'object' && 'step' in begun
        ? { step: () => (isCurrent() ? begun.step() : ErrorCode.Stopped) }
        : begun;
    readings.add<HashResult>(reading, (result) => {
      if (!isCurrent()) return;
      this.#isHashing = false;
      if (typeof result === 'object') this.#report(raft.id, { ...result, index });
    });
  }

  /** Takes the hash of a member. */
  hear(from: NodeId, { index, ...result }: HashReport): void {
    const { raft, store, log, alarms } = this.#options;
    const round = this.#round;
    if (raft.role !== Role.Leader || round === undefined || round.index !== index) return;
    round.reports.set(from, result);
    const odd = oddMembers(store.applied().configuration, round.reports);
    for (const nodeId of odd) {
      const { revision, compactRevision, hash } = round.reports.get(nodeId)!;
      log.error('store differs from the others', { nodeId, revision, compactRevision, hash });
      alarms.raise({ nodeId, kind: AlarmKind.Corrupt });
    }
  }

  #report(self: NodeId, body: HashReport): void {
    const { raft, transport } = this.#options;
    if (raft.role === Role.Leader) this.hear(self, body);
    else if (raft.leader !== NO_NODE) {
      transport.report(raft.leader, { type: FrameType.HashReport, body });
    }
  }
}
