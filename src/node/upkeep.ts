/**
 * What a member does on its own account now and then: it measures its store against the quota,
 * compares it with the others', and compacts.
 */

import { AlarmAction } from '../../include/kvstore.ts';
import type { Log } from '../../include/log.ts';
import { type LogIndex, type NodeId, Role, type Upkeep } from '../../include/node.ts';
import { FrameType, type MemberReport } from '../../include/rpc.ts';
import type { Clock } from '../clock.ts';
import type { Store } from '../kvstore/store.ts';
import { Alarms } from './alarms.ts';
import { AutoCompactor } from './auto-compaction.ts';
import { HashCheck } from './hash-check.ts';
import type { Proposer } from './proposer.ts';
import type * as core from './raft/raft.ts';
import type { Readings } from './readings.ts';
import type { Transport } from './transport.ts';

/** What a member lends. */
export type MemberUpkeepOptions = {
  readonly raft: core.Raft;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly proposer: Proposer;
  readonly transport: Transport;
  readonly readings: Readings;
  readonly upkeep: Upkeep;
  /** Asks for a pump. */
  readonly schedulePump: () => void;
};

/** The upkeep of one member. */
export class MemberUpkeep {
  readonly #alarms: Alarms;
  readonly #check: HashCheck;
  readonly #compactor: AutoCompactor | undefined;

  constructor(options: MemberUpkeepOptions) {
    const { quotaBytes, corruptCheckMs, autoCompaction: policy } = options.upkeep;
    const { raft, store, clock, proposer } = options;
    this.#alarms = new Alarms({ ...options, quotaBytes });
    this.#check = new HashCheck({ ...options, alarms: this.#alarms, corruptCheckMs });
    if (policy === undefined) return;
    this.#compactor = new AutoCompactor({
      policy,
      nowMs: () => clock.nowMs(),
      revision: () => store.revision(),
      compactRevision: () => store.compactRevision(),
      isLeader: () => raft.role === Role.Leader,
      compact: (revision) =>
        proposer.propose({ type: FrameType.Compact, body: { revision, physical: false } }),
    });
  }

  /** Whether what this member holds is known to be wrong: it must not be told to anybody. */
  get isCorrupt(): boolean {
    return this.#alarms.isCorrupt;
  }

  /** One tick of the clock. */
  tick(): void {
    this.#alarms.tick();
    this.#check.tick();
    this.#compactor?.tick();
  }

  /** The entry of a check was applied. */
  beginCheck(index: LogIndex): void {
    this.#check.begin(index);
  }

  /** A member can be reached again. */
  peerIsBack(): void {
    this.#check.peerIsBack();
  }

  /** Takes what a peer says about itself. */
  hear(from: NodeId, { type, body }: MemberReport): void {
    if (type === FrameType.HashReport) this.#check.hear(from, body);
    else if (body.nodeId === from && body.action === AlarmAction.Raise) this.#alarms.raise(body);
  }
}
