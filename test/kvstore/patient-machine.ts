/** A store that is asked as a member asks it: what a deletion under way holds up waits for it. */

import type {
  CompactRequest,
  DeleteRangeRequest,
  ExpireRequest,
  LeaseCheckpointRequest,
  LeaseGrantRequest,
  LeaseRevokeRequest,
  PutRequest,
  SessionMark,
  SessionOpenRequest,
  Store,
  TxnRequest,
  WriteResult,
} from '../../include/kvstore.ts';
import { type Command, type ErrorCode, FrameType, type LoggedCommand } from '../../include/rpc.ts';
import { isHeldUp } from '../../src/node/held-up.ts';
import type { Machine } from './store-model.ts';

/** Thrown instead of applying a write, to see what it is. */
class Probe extends Error {
  readonly command: Command;

  constructor(command: Command) {
    super('a probe');
    this.command = command;
  }
}

/** Applies entries to a store, each as soon as it may be. */
export class PatientMachine implements Machine {
  readonly #store: Store;
  readonly #step: () => void;
  #isProbing = false;

  /** @param step goes on with the deletions under way */
  constructor(store: Store, step: () => void) {
    this.#store = store;
    this.#step = step;
  }

  put(body: PutRequest) {
    return this.#apply({ type: FrameType.Put, body }, () => this.#store.put(body));
  }

  deleteRange(body: DeleteRangeRequest) {
    return this.#apply({ type: FrameType.DeleteRange, body }, () => this.#store.deleteRange(body));
  }

  compact(body: CompactRequest) {
    return this.#apply({ type: FrameType.Compact, body }, () => this.#store.compact(body));
  }

  txn(body: TxnRequest) {
    return this.#apply({ type: FrameType.Txn, body }, () => this.#store.txn(body));
  }

  leaseGrant(body: LeaseGrantRequest) {
    return this.#apply({ type: FrameType.LeaseGrant, body }, () => this.#store.leaseGrant(body));
  }

  leaseRevoke(body: LeaseRevokeRequest) {
    return this.#apply({ type: FrameType.LeaseRevoke, body }, () => this.#store.leaseRevoke(body));
  }

  sessionOpen(body: SessionOpenRequest) {
    return this.#apply({ type: FrameType.SessionOpen, body }, () => this.#store.sessionOpen(body));
  }

  leaseCheckpoint(body: LeaseCheckpointRequest): void {
    this.#wait({ type: FrameType.LeaseCheckpoint, body });
    this.#store.leaseCheckpoint(body);
  }

  expire(body: ExpireRequest): void {
    this.#wait({ type: FrameType.Expire, body });
    this.#store.expire(body);
  }

  once(mark: SessionMark, apply: () => WriteResult | ErrorCode) {
    this.#wait({ type: FrameType.Once, mark, command: this.#probe(apply) });
    return this.#store.once(mark, apply);
  }

  #apply<T>(command: Command, run: () => T): T {
    if (this.#isProbing) throw new Probe(command);
    this.#wait(command);
    return run();
  }

  #wait(command: LoggedCommand): void {
    while (isHeldUp(this.#store, command)) this.#step();
  }

  #probe(apply: () => unknown): Command {
    this.#isProbing = true;
    try {
      apply();
    } catch (error) {
      if (error instanceof Probe) return error.command;
      throw error;
    } finally {
      this.#isProbing = false;
    }
    throw new Error('a write of a session is a write');
  }
}
