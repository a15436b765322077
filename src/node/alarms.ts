/**
 * The alarms of one member: it measures its store against its quota, and raises what is wrong with
 * it. The leader puts an alarm into the log; any other member tells the leader, again and again
 * until the alarm is there. A leader that is corrupt hands leadership to one that is not.
 */

import { type Alarm, AlarmAction, AlarmKind } from '../../include/kvstore.ts';
import { DEADLINE_CHECK_MS, NO_NODE, type NodeId, Role } from '../../include/node.ts';
import { FrameType } from '../../include/rpc.ts';
import type { Clock } from '../clock.ts';
import type { Store } from '../kvstore/store.ts';
import type { Proposer } from './proposer.ts';
import * as core from './raft/raft.ts';
import { chooseSuccessor } from './successor.ts';
import type { Transport } from './transport.ts';

/** Milliseconds until an alarm that is not there yet is raised again. */
const RAISE_AGAIN_MS = 1_000;

/** What a member lends its alarms. */
export type AlarmsOptions = {
  readonly raft: core.Raft;
  readonly store: Pick<Store, 'alarms' | 'size'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly proposer: Pick<Proposer, 'propose'>;
  readonly transport: Pick<Transport, 'report' | 'peers'>;
  /** Asks for a pump. */
  readonly schedulePump: () => void;
  /** Bytes in use above which the store is full. */
  readonly quotaBytes: number;
};

/** The alarms as one member deals with them. */
export class Alarms {
  readonly #options: AlarmsOptions;
  #measuredMs = Number.NEGATIVE_INFINITY;
  #raisedMs = Number.NEGATIVE_INFINITY;
  #handedOverMs = Number.NEGATIVE_INFINITY;

  constructor(options: AlarmsOptions) {
    this.#options = options;
  }

  /** Whether what this member holds is known to be wrong. */
  get isCorrupt(): boolean {
    return this.#isRaised({ nodeId: this.#options.raft.id, kind: AlarmKind.Corrupt });
  }

  /** Now and then: measures the store; leads no more if that is known to be wrong. */
  tick(): void {
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - this.#measuredMs < DEADLINE_CHECK_MS) return;
    this.#measuredMs = nowMs;
    this.#measure(nowMs);
    if (this.isCorrupt) this.#handOver(nowMs);
  }

  #measure(nowMs: number): void {
    const { store, raft, quotaBytes } = this.#options;
    if (store.size().dbSizeInUseBytes <= quotaBytes) return;
    const alarm = { nodeId: raft.id, kind: AlarmKind.NoSpace };
    if (this.#isRaised(alarm) || nowMs - this.#raisedMs < RAISE_AGAIN_MS) return;
    this.#raisedMs = nowMs;
    this.raise(alarm);
  }

  /** Raises an alarm. Whether it is there, the store says. */
  raise(alarm: Alarm): void {
    const { raft, proposer, transport } = this.#options;
    const command = { type: FrameType.AlarmSet, body: { ...alarm, action: AlarmAction.Raise } };
    if (raft.role === Role.Leader) proposer.propose(command);
    else if (raft.leader !== NO_NODE) transport.report(raft.leader, command);
  }

  #handOver(nowMs: number): void {
    const { raft, transport, schedulePump } = this.#options;
    if (raft.role !== Role.Leader || nowMs - this.#handedOverMs < RAISE_AGAIN_MS) return;
    this.#handedOverMs = nowMs;
    const isSound = (nodeId: NodeId): boolean =>
      !this.#isRaised({ nodeId, kind: AlarmKind.Corrupt });
    const successor = chooseSuccessor(raft, transport, isSound);
    if (successor === undefined) return;
    core.transferLeader(raft, successor);
    schedulePump();
  }

  #isRaised({ nodeId, kind }: Alarm): boolean {
    const { store } = this.#options;
    return store.alarms().some((alarm) => alarm.nodeId === nodeId && alarm.kind === kind);
  }
}
