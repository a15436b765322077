/**
 * The watches of one client: created, cancelled and asked about by its requests, told of events
 * through its sink. Every member serves watches from its own store.
 *
 * Invariants: the answer to a creation leaves before the watch's first event, for events never come
 * from within the creation; after the answer to a cancellation nothing of the watch comes.
 */

import type { WatchSink, WatchStream } from '../../include/kvstore.ts';
import { ErrorCode, FrameType, type ReplyHeader, type Request } from '../../include/rpc.ts';
import type { Asker } from './asker.ts';
import { refuseWhileInstalling } from './client-requests.ts';
import type { Member } from './member.ts';

/** A request about watches. */
export type WatchOperation = Extract<
  Request,
  {
    readonly type:
      | typeof FrameType.WatchCreate
      | typeof FrameType.WatchCancel
      | typeof FrameType.WatchProgress;
  }
>;

/** The watches of one client. */
export class ClientWatches {
  readonly #member: Member;
  readonly #sink: WatchSink;
  #stream: WatchStream | undefined;

  /** @param sink where what the watches tell goes; not used before the first request */
  constructor(member: Member, sink: WatchSink) {
    this.#member = member;
    this.#sink = sink;
  }

  /** Carries out a request. Its key and range end are kept. */
  request(asker: Asker, id: number, operation: WatchOperation): void {
    const member = this.#member;
    if (member.isStopped) return asker.refuse(id, ErrorCode.Stopped, undefined);
    if (member.isInstalling) return refuseWhileInstalling(asker, id);
    if (operation.type === FrameType.WatchCreate && member.serving.isCorrupt) {
      return asker.refuse(id, ErrorCode.CorruptCluster, undefined);
    }
    this.#stream ??= member.store.watches.open(this.#sink);
    const { type } = operation;
    switch (type) {
      case FrameType.WatchCreate: {
        const refusal = this.#stream.create(operation.body.watchId, operation.body);
        if (refusal !== 0) return asker.refuse(id, refusal, undefined);
        asker.answer(id, { type, body: this.#head() });
        return member.schedulePump();
      }
      case FrameType.WatchCancel:
        this.#stream.cancel(operation.body.watchId);
        return asker.answer(id, { type, body: this.#head() });
      case FrameType.WatchProgress:
        this.#stream.whenInSync((revision) =>
          asker.answer(id, { type, body: member.header(revision) }),
        );
        return member.schedulePump();
    }
  }

  /** The client has read what it was sent: held-back events may come. */
  drained(): void {
    if (this.#stream === undefined) return;
    this.#stream.drained();
    this.#member.schedulePump();
  }

  /** The client is gone. */
  close(): void {
    if (this.#stream === undefined) return;
    this.#stream.close();
    this.#stream = undefined;
    this.#member.schedulePump();
  }

  #head(): ReplyHeader {
    return this.#member.header(this.#member.store.revision());
  }
}
