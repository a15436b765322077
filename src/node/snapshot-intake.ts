/**
 * Snapshots that a leader streams to this member: received beside the store, offered to the core
 * when whole. One at a time: a newer stream takes the place of one under way.
 */

import type { NodeId } from '../../include/node.ts';
import { ErrorCode, KvorumError } from '../../include/rpc.ts';
import type { SnapshotWriter } from '../kvstore/store.ts';
import type { SnapshotReceiver } from '../rpc/snapshot-receiver.ts';
import type { Member } from './member.ts';

/** Where a member's incoming snapshots go. */
export class SnapshotIntake {
  readonly #member: Member;
  #current: object | undefined;
  #writer: SnapshotWriter | undefined;

  constructor(member: Member) {
    this.#member = member;
  }

  /** A receiver for one stream of a peer. */
  receiver(from: NodeId): SnapshotReceiver {
    const stream = {};
    const { log } = this.#member.options;
    return {
      onBegin: async (meta) => {
        if (this.#member.isStopped || this.#member.isInstalling) {
          throw new KvorumError(ErrorCode.SnapshotFailed, 'this node cannot take a snapshot now');
        }
        log.info('receiving a snapshot', { from, index: meta.index, term: meta.term });
        this.#current = stream;
        this.#writer = await this.#member.store.importSnapshot();
      },
      onChunk: (chunk) => this.#writerOf(stream).write(chunk),
      onEnd: async ({ bytes }) => {
        const position = await this.#writerOf(stream).finish();
        this.#writerOf(stream);
        this.#current = undefined;
        this.#writer = undefined;
        if (this.#member.raft.leader !== from) {
          throw new KvorumError(ErrorCode.SnapshotFailed, `node ${from} does not lead any more`);
        }
        log.info('snapshot received', { from, index: position.index, sizeBytes: bytes });
        this.#member.snapshotArrived(from, position);
      },
      onFailed: (error) => {
        if (this.#current !== stream) return;
        this.#current = undefined;
        const writer = this.#writer;
        this.#writer = undefined;
        log.warn('snapshot broken off', { from, reason: error.message });
        writer?.abort().catch(this.#member.options.onFatal);
      },
    };
  }

  #writerOf(stream: object): SnapshotWriter {
    if (this.#current === stream && this.#writer !== undefined) return this.#writer;
    throw new KvorumError(ErrorCode.SnapshotFailed, 'a newer snapshot took the place of this one');
  }
}
