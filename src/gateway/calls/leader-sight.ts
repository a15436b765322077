/**
 * Whether the node knows a leader, for clients that ask for that with the metadata `hasleader`
 * (etcd): their calls are refused while it knows none, and their streams end when it has known none
 * for a while, so that they go to another member.
 */

import { statusOf } from '../../../include/gateway.ts';
import { NO_NODE } from '../../../include/node.ts';
import { ErrorCode } from '../../../include/rpc.ts';
import type { Timer } from '../../clock.ts';
import type { NodeClient } from '../node-client.ts';
import type { Call } from './call.ts';

/** Milliseconds an answer of the node counts. */
const FRESH_MS = 200;

/** Milliseconds between two looks while streams are open: an election (etcd). */
const LOOK_MS = 1_000;

/** Looks in a row without a leader after which streams end (etcd). */
const LOOKS_MAX = 3;

/** Metadata of those that want a leader. */
const HAS_LEADER = 'hasleader';

/** What is known of the leader. */
export class LeaderSight {
  readonly #node: NodeClient;
  #isLed = true;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<boolean> | undefined = undefined;
  #leaderlessCount = 0;
  readonly #streams: Set<Call<never>> = new Set();
  #timer: Timer | undefined = undefined;

  constructor(node: NodeClient) {
    this.#node = node;
  }

  /** Lets a call of one request proceed, unless it wants a leader and there is none. */
  admit(call: Call<never>, proceed: () => void): void {
    if (call.metadata(HAS_LEADER) !== 'true') {
      proceed();
      return;
    }
    const isFresh = this.#node.clock.nowMs() - this.#lookedMs < FRESH_MS;
    if (isFresh && this.#isLed) proceed();
    else {
      void this.#look().then((isLed) => {
        if (isLed) proceed();
        else refuse(call);
      });
    }
  }

  /** Ends a stream that wants a leader as soon as it opens, or later, when there is none. */
  follow(call: Call<never>): void {
    if (call.metadata(HAS_LEADER) !== 'true') return;
    this.#streams.add(call);
    this.#timer ??= this.#node.clock.every(LOOK_MS, () => void this.#lookAgain());
    void this.#look().then((isLed) => {
      if (!isLed) refuse(call);
    });
  }

  /** Looks no more. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #lookAgain(): Promise<void> {
    for (const call of this.#streams) if (call.isEnded) this.#streams.delete(call);
    if (this.#streams.size === 0) {
      this.close();
      return;
    }
    this.#leaderlessCount = (await this.#look()) ? 0 : this.#leaderlessCount + 1;
    if (this.#leaderlessCount < LOOKS_MAX) return;
    for (const call of this.#streams) refuse(call);
    this.#streams.clear();
  }

  #look(): Promise<boolean> {
    this.#looking ??= this.#ask().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #ask(): Promise<boolean> {
    this.#isLed = await this.#node.status().then(
      ({ leader }) => leader !== NO_NODE,
      () => false,
    );
    this.#lookedMs = this.#node.clock.nowMs();
    return this.#isLed;
  }
}

function refuse(call: Call<never>): void {
  if (call.isEnded) return;
  call.end(statusOf(ErrorCode.NoLeader, ''));
  call.onEnded?.();
}
