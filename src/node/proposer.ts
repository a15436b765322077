/** How commands get into the log: a client's, who waits for its entry, and a member's own. */

import { EntryType, ProposeResult, Role } from '../../include/node.ts';
import { ErrorCode, FrameType, type LoggedCommand } from '../../include/rpc.ts';
import type { Clock } from '../clock.ts';
import { encodeCommand } from '../rpc/command-codec.ts';
import type { Asker } from './asker.ts';
import type { NodeMetrics } from './node-metrics.ts';
import type { Proposals } from './proposals.ts';
import * as core from './raft/raft.ts';
import { versionOfCommand } from './versions.ts';

/** What a member lends its proposer. */
export type ProposerOptions = {
  readonly raft: core.Raft;
  readonly proposals: Proposals;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly metrics: NodeMetrics;
  /** Whether all members know what came with a version of the protocol. */
  readonly admits: (version: number) => boolean;
  /** Points a client at the leader. */
  readonly redirect: (asker: Asker, id: number) => void;
  /** Asks for a pump. */
  readonly schedulePump: () => void;
};

/** The way into the log of one member, open while it leads. */
export class Proposer {
  readonly #options: ProposerOptions;

  constructor(options: ProposerOptions) {
    this.#options = options;
  }

  /** Proposes what nobody waits for; whether it was taken. */
  propose(command: LoggedCommand): boolean {
    return (
      this.#isKnown(command) && this.#propose(encodeCommand(command)) === ProposeResult.Accepted
    );
  }

  /**
   * Proposes a command for a client that waits for its entry to be applied; refuses or redirects it
   * when it is not taken, and says so.
   *
   * @param data the entry's data, of which `command` is the decoded form; owned by the log from
   *   here on
   */
  proposeFor(asker: Asker, id: number, data: Buffer, command: LoggedCommand): boolean {
    const { raft, proposals, clock, redirect, metrics } = this.#options;
    if (!this.#isKnown(command)) {
      asker.refuse(id, ErrorCode.ClusterTooOld, undefined);
      return false;
    }
    switch (this.#propose(data)) {
      case ProposeResult.NotLeader:
        redirect(asker, id);
        return false;
      case ProposeResult.Transferring:
        asker.refuse(id, ErrorCode.NoLeader, undefined);
        return false;
      case ProposeResult.Full:
        asker.refuse(id, ErrorCode.TooManyRequests, undefined);
        return false;
      case ProposeResult.Accepted: {
        const receivedMs = clock.nowMs();
        const index = core.lastIndex(raft);
        const proposal = { index, term: raft.term, asker, id, command, receivedMs };
        proposals.add(proposal, (lost) => {
          metrics.proposalsFailed += 1;
          redirect(lost.asker, lost.id);
        });
        return true;
      }
    }
  }

  /** Whether all members know a command, as far as a leader must know. */
  #isKnown(command: LoggedCommand): boolean {
    const { raft, admits } = this.#options;
    if (raft.role !== Role.Leader || command.type === FrameType.ClusterVersion) return true;
    return admits(versionOfCommand(command));
  }

  #propose(data: Buffer): ProposeResult {
    const result = core.propose(this.#options.raft, EntryType.Command, data);
    if (result === ProposeResult.Accepted) this.#options.schedulePump();
    return result;
  }
}
