/**
 * Clients that wait for leadership to move (Raft thesis 3.10): answered when the target leads,
 * refused when the transfer is given up.
 */

import {
  MEMBER_TIMEOUT_MS,
  type NodeId,
  type RaftEvent,
  TransferResult,
} from '../../include/node.ts';
import { ErrorCode, FrameType, type ReplyHeader } from '../../include/rpc.ts';
import type { Clock } from '../clock.ts';
import type { Asker } from './asker.ts';
import * as core from './raft/raft.ts';

type Transfer = {
  readonly asker: Asker;
  readonly id: number;
  readonly target: NodeId;
  readonly deadlineMs: number;
};

/** What a member lends its transfers. */
export type TransferOptions = {
  readonly raft: core.Raft;
  readonly clock: Clock;
  /** Points a client at the leader. */
  readonly redirect: (asker: Asker, id: number) => void;
  /** The head of a reply as of now. */
  readonly header: () => ReplyHeader;
};

/** The leader transfers of a member that somebody waits for. */
export class Transfers {
  readonly #options: TransferOptions;
  #waiting: Transfer[] = [];

  constructor(options: TransferOptions) {
    this.#options = options;
  }

  /** Starts to hand leadership over, or says why not. */
  begin(asker: Asker, id: number, target: NodeId): void {
    const { raft, clock, redirect } = this.#options;
    switch (core.transferLeader(raft, target)) {
      case TransferResult.NotLeader:
        return redirect(asker, id);
      case TransferResult.UnknownTarget:
      case TransferResult.LearnerTarget:
        return asker.refuse(id, ErrorCode.BadTransferee, undefined);
      case TransferResult.AlreadyLeader:
        return this.#answer({ asker, id });
      case TransferResult.Accepted: {
        const deadlineMs = clock.nowMs() + MEMBER_TIMEOUT_MS;
        this.#waiting.push({ asker, id, target, deadlineMs });
      }
    }
  }

  /** Settles those that an event of the core decides. */
  settle(event: RaftEvent): void {
    if (this.#waiting.length === 0) return;
    if (event.kind === 'leader') {
      for (const one of this.#take(({ target }) => target === event.leader)) this.#answer(one);
    } else if (event.kind === 'transfer-aborted') {
      const aborted = this.#take(({ target }) => target === event.target);
      for (const { asker, id } of aborted) {
        asker.refuse(id, ErrorCode.TransferFailed, `leader transfer failed: ${event.reason}`);
      }
    }
  }

  /** Gives up those whose time is up. */
  expire(nowMs: number): void {
    if (this.#waiting.length === 0) return;
    const expired = this.#take(({ deadlineMs }) => deadlineMs <= nowMs);
    for (const { asker, id } of expired) asker.refuse(id, ErrorCode.TransferFailed, undefined);
  }

  #take(isMeant: (transfer: Transfer) => boolean): Transfer[] {
    const taken = this.#waiting.filter(isMeant);
    this.#waiting = this.#waiting.filter((transfer) => !isMeant(transfer));
    return taken;
  }

  #answer({ asker, id }: Pick<Transfer, 'asker' | 'id'>): void {
    asker.answer(id, { type: FrameType.MoveLeader, body: this.#options.header() });
  }
}
