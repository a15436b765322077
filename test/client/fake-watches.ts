/** Watches at fake nodes: who asked for which, and events to tell them. */

import { EventKind, type KeyValue, type WatchEvent } from '../../include/kvstore.ts';
import { FrameType, type WatchCreateRequest } from '../../include/rpc.ts';
import type { Asked, Script } from './fake-node.ts';
import { headerOf, serve } from './fake-node.ts';

/** A watch that a fake node was asked for. */
export type AskedWatch = {
  readonly body: WatchCreateRequest;
  readonly asked: Asked;
  /** Tells one whole batch with a put of one key in each of the revisions. */
  readonly tell: (...revisions: readonly number[]) => void;
};

/** The watches a fake node was asked for, oldest first, and those that were cancelled. */
export class FakeWatches {
  readonly created: AskedWatch[] = [];
  readonly cancelled: number[] = [];
  /** What a node says its revision is. */
  revision = 7;
  /** Called for each watch, once it is accepted; what the node tells of it. */
  onCreated: (watch: AskedWatch) => void = () => {};
  /** How a question for progress is answered. */
  onProgress: Script = ({ reply }) =>
    reply({ type: FrameType.WatchProgress, body: headerOf(0, this.revision) });
  #told: (() => void)[] = [];

  /** Accepts every watch. */
  readonly script: Script = (asked) => {
    const { request } = asked;
    if (request.type === FrameType.WatchCreate) {
      asked.reply({ type: FrameType.WatchCreate, body: headerOf(0, this.revision) });
      const { body } = request;
      const tell = (...revisions: readonly number[]): void =>
        asked.tellEvents(body.watchId, {
          revision: revisions.at(-1) ?? 0,
          events: revisions.map((revision) => putAt(revision)),
          isFragment: false,
        });
      // The key is a view of the frame.
      const watch = { body: { ...body, key: Buffer.from(body.key) }, asked, tell };
      this.created.push(watch);
      this.onCreated(watch);
    } else if (request.type === FrameType.WatchCancel) {
      this.cancelled.push(request.body.watchId);
      asked.reply({ type: FrameType.WatchCancel, body: headerOf(0) });
    } else if (request.type === FrameType.WatchProgress) {
      this.onProgress(asked);
    } else {
      serve(0)(asked);
    }
    for (const told of this.#told.splice(0)) told();
  };

  /** Waits until the node was asked for so many watches. */
  async untilCreated(count: number): Promise<AskedWatch> {
    while (this.created.length < count) await this.#changed();
    return this.created[count - 1]!;
  }

  /** Waits until so many watches were cancelled. */
  async untilCancelled(count: number): Promise<void> {
    while (this.cancelled.length < count) await this.#changed();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#told.push(resolve));
  }
}

/** A pair that was put at a revision. */
export function pairAt(revision: number, value: Uint8Array = Buffer.from('v')): KeyValue {
  const facts = { createRevision: 2, modRevision: revision, version: 1, lease: 0n };
  return { key: Buffer.from('a'), value: Buffer.from(value), ...facts };
}

/** A put at a revision. */
export function putAt(revision: number, value?: Uint8Array): WatchEvent {
  return { kind: EventKind.Put, kv: pairAt(revision, value), prevKv: undefined };
}
