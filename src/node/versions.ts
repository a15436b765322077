/**
 * The version of a cluster: the lowest of its members', as the leader found it and the log has it.
 * What is newer than that is not put into the log, since a member might not know it.
 *
 * It never falls: a member that is older than its cluster is refused, and does not start from a
 * directory that has seen a newer one.
 */

import { DEADLINE_CHECK_MS, type NodeId, Role } from '../../include/node.ts';
import { FrameType, type LoggedCommand, sinceVersion } from '../../include/rpc.ts';
import type { Clock } from '../clock.ts';
import type { Store } from '../kvstore/store.ts';
import type { Raft } from './raft/raft.ts';
import type { Transport } from './transport.ts';

/** What a member lends. */
export type VersionsOptions = {
  readonly raft: Pick<Raft, 'id' | 'role' | 'configuration'>;
  readonly store: Pick<Store, 'clusterVersion'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly transport: Pick<Transport, 'versionOf'>;
  /** What this member speaks. */
  readonly protocolVersion: number;
  /** Puts a command of the leader's own into the log. */
  readonly propose: (command: LoggedCommand) => void;
};

/** The versions of a cluster's members, as one of them sees them. */
export class Versions {
  readonly #options: VersionsOptions;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(options: VersionsOptions) {
    this.#options = options;
  }

  /** Now and then a leader looks whether all members are newer than the cluster. */
  tick(): void {
    const { raft, store, clock, protocolVersion } = this.#options;
    if (raft.role !== Role.Leader || protocolVersion <= store.clusterVersion()) return;
    const nowMs = clock.nowMs();
    if (nowMs - this.#lookedMs < DEADLINE_CHECK_MS) return;
    this.#lookedMs = nowMs;
    this.admits(store.clusterVersion() + 1);
  }

  /**
   * Whether the leader may put what came with a version into its log. If all members know it by
   * now, the cluster's version is raised in the entry before.
   */
  admits(wanted: number): boolean {
    const { store, propose } = this.#options;
    if (wanted <= store.clusterVersion()) return true;
    const version = this.#lowest();
    if (version < wanted) return false;
    propose({ type: FrameType.ClusterVersion, body: { version } });
    return true;
  }

  /** The lowest of all members; 0 while that of one is not known. */
  #lowest(): number {
    const { raft, transport, protocolVersion } = this.#options;
    const { voters, outgoing, learners } = raft.configuration;
    const versionOf = (id: NodeId): number =>
      id === raft.id ? protocolVersion : transport.versionOf(id);
    return Math.min(...[...voters, ...outgoing, ...learners].map(versionOf));
  }
}

/** The version that a member must speak to know a command of the log. */
export function versionOfCommand(command: LoggedCommand): number {
  return sinceVersion(command.type === FrameType.Once ? command.command.type : command.type);
}
