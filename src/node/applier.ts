/**
 * Committed entries on their way into the store, and their answers on the way back.
 *
 * Applied in log order, a slice a turn, so that a long backlog delays no heartbeat. An entry that
 * was proposed here answers its client; a refusal by the store is a result like any other, the same
 * on every member.
 *
 * Invariant: the store's applied index ascends by one; entries it has already are skipped.
 */

import type { CompactResult, DeleteRangeResult, PutResult } from '../../include/kvstore.ts';
import { UNFLUSHED_BYTES_MAX } from '../../include/kvstore.ts';
import {
  APPLY_SLICE_ENTRIES,
  type Configuration,
  type Entry,
  EntryType,
} from '../../include/node.ts';
import { type Command, type ErrorCode, FrameType, type ReplyHeader } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import type { Store } from '../kvstore/store.ts';
import { Ring } from '../ring.ts';
import { decodeCommand } from '../rpc/request-codec.ts';
import type { Proposal, Proposals } from './proposals.ts';

/** What a member lends its applier. */
export type ApplierOptions = {
  readonly store: Store;
  readonly proposals: Proposals;
  /** The head of a reply as of now. */
  readonly header: (revision: number) => ReplyHeader;
  /** The configuration in force. */
  readonly configuration: () => Configuration;
  /** A proposal whose entry was overwritten: it never took effect. */
  readonly onLost: (proposal: Proposal) => void;
};

type PhysicalCompaction = { readonly revision: number; readonly proposal: Proposal };

/** The committed entries of a member that wait to be applied. */
export class Applier {
  readonly #options: ApplierOptions;
  readonly #waiting = new Ring<Entry>();
  #compactions: PhysicalCompaction[] = [];

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

  /** Applies a slice. Stops while the store's flush lags too far behind. */
  run(): void {
    const { store } = this.#options;
    for (let count = 0; count < APPLY_SLICE_ENTRIES; count += 1) {
      const entry = this.#waiting.peek();
      if (entry === undefined || store.unflushedBytes() >= UNFLUSHED_BYTES_MAX) return;
      this.#waiting.shift();
      this.#apply(entry);
    }
  }

  /** Whether `run` could go on now. */
  get canRun(): boolean {
    return this.#waiting.count > 0 && this.#options.store.unflushedBytes() < UNFLUSHED_BYTES_MAX;
  }

  /** A snapshot took the place of what waited. */
  clear(): void {
    this.#waiting.clear();
  }

  /**
   * Removes some of what is compacted; answers those who waited for it. Returns whether more is
   * left.
   */
  compactStep(): boolean {
    const { store } = this.#options;
    const hasMore = store.compactStep();
    if (this.#compactions.length === 0) return hasMore;
    const removed = store.compactedPhysically();
    const done = this.#compactions.filter((waiting) => waiting.revision <= removed);
    this.#compactions = this.#compactions.filter((waiting) => waiting.revision > removed);
    for (const { proposal } of done) this.#answer(proposal, { revision: store.revision() });
    return hasMore;
  }

  #apply(entry: Entry): void {
    const { store, proposals, onLost, configuration } = this.#options;
    const { index, term } = entry;
    const applied = store.applied().index;
    if (index <= applied) return;
    assert(index === applied + 1, 'entries are applied without a gap', index, applied);

    const proposal = proposals.take(index, term, onLost);
    if (entry.type === EntryType.Command) {
      const command = proposal?.command ?? decodeCommand(entry.data);
      const result = applyCommand(store, command);
      if (proposal !== undefined) this.#settle(proposal, command, result);
    }
    store.setApplied({ index, term, configuration: configuration() });
  }

  #settle(proposal: Proposal, command: Command, result: CommandResult): void {
    if (typeof result === 'number') {
      proposal.asker.refuse(proposal.id, result, undefined);
    } else if (command.type === FrameType.Compact && command.body.physical) {
      this.#compactions.push({ revision: command.body.revision, proposal });
    } else {
      this.#answer(proposal, result);
    }
  }

  #answer(proposal: Proposal, result: Exclude<CommandResult, ErrorCode>): void {
    const { asker, id, command } = proposal;
    const head = this.#options.header(result.revision);
    const { clusterId, nodeId, revision, term } = head;
    if (command.type === FrameType.Put) {
      assert('prevKv' in result, 'a put is answered by a put');
      const { prevKv } = result;
      asker.answer(id, { type: command.type, body: { clusterId, nodeId, revision, term, prevKv } });
    } else if (command.type === FrameType.DeleteRange) {
      assert('deleted' in result, 'a deletion is answered by a deletion');
      const { deleted, prevKvs } = result;
      const body = { clusterId, nodeId, revision, term, deleted, prevKvs };
      asker.answer(id, { type: command.type, body });
    } else {
      asker.answer(id, { type: command.type, body: head });
    }
  }
}

type CommandResult = PutResult | DeleteRangeResult | CompactResult | ErrorCode;

function applyCommand(store: Store, command: Command): CommandResult {
  switch (command.type) {
    case FrameType.Put:
      return store.put(command.body);
    case FrameType.DeleteRange:
      return store.deleteRange(command.body);
    case FrameType.Compact:
      return store.compact(command.body);
  }
}
