/**
 * etcd's Maintenance.Snapshot: the file that `kvorum snapshot save` writes, in messages. It is no
 * store of etcd's, and only kvorum restores it.
 *
 * As etcd does: pieces of at most 32 KiB, how much remains counting down to 0, and the checksum
 * alone in the last message. How much there is is known at the end only; before, it is what the
 * store has in use.
 */

import { DIAL_TIMEOUT_MS } from '../../../include/client.ts';
import { ETCD_VERSION, STREAM_QUEUED_BYTES_MAX } from '../../../include/gateway.ts';
import { ErrorCode, KvorumError } from '../../../include/rpc.ts';
import { downloadSnapshot } from '../../client/snapshot-download.ts';
import { SNAPSHOT_HASH_BYTES } from '../../client/snapshot-file.ts';
import { type Call, failCall, OK } from '../calls/call.ts';
import type { NodeClient } from '../node-client.ts';
import type { SnapshotResponse } from '../schema/maintenance.ts';

/** Most bytes of a message's piece (etcd). */
const BLOB_BYTES_MAX = 32 * 1024;

/** Streams a snapshot of the node's own state. */
export function answerSnapshot(node: NodeClient, call: Call<SnapshotResponse>): void {
  new SnapshotCall(node, call).run().then(
    () => call.end(OK),
    (error) => failCall(call, error),
  );
}

class SnapshotCall {
  readonly #node: NodeClient;
  readonly #call: Call<SnapshotResponse>;
  readonly #gone = new AbortController();
  /** Goes on when the call has sent what waited. */
  #onDrained: (() => void) | undefined = undefined;
  #remainingBytes = 0;
  /** The last of what came: its end may be the checksum. */
  #held: Buffer = Buffer.alloc(0);

  constructor(node: NodeClient, call: Call<SnapshotResponse>) {
    this.#node = node;
    this.#call = call;
    call.onDrain = () => this.#onDrained?.();
    call.onEnded = () => {
      this.#gone.abort(new KvorumError(ErrorCode.Stopped, 'kvorum: nobody waits for it'));
      this.#onDrained?.();
    };
  }

  async run(): Promise<void> {
    const { endpoint, clock, openStream } = this.#node;
    this.#remainingBytes = (await this.#node.status()).dbSizeInUseBytes;
    const from = { endpoint, clock, openStream, dialTimeoutMs: DIAL_TIMEOUT_MS };
    const { signal } = this.#gone;
    await downloadSnapshot(from, (piece) => this.#take(piece), { signal });
    const checksumAt = this.#held.length - SNAPSHOT_HASH_BYTES;
    this.#send(this.#held.subarray(0, checksumAt), 0);
    this.#send(this.#held.subarray(checksumAt), 0);
  }

  async #take(piece: Buffer): Promise<void> {
    const bytes = Buffer.concat([this.#held, piece]);
    const end = Math.max(0, bytes.length - BLOB_BYTES_MAX);
    for (let offset = 0; offset < end; offset += BLOB_BYTES_MAX) {
      const blob = bytes.subarray(offset, Math.min(end, offset + BLOB_BYTES_MAX));
      this.#remainingBytes = Math.max(BLOB_BYTES_MAX, this.#remainingBytes - blob.length);
      this.#send(blob, this.#remainingBytes);
    }
    this.#held = bytes.subarray(end);
    while (!this.#call.isEnded && this.#call.queuedBytes >= STREAM_QUEUED_BYTES_MAX) {
      await new Promise<void>((resolve) => {
        this.#onDrained = resolve;
      });
    }
  }

  #send(blob: Buffer, remaining: number): void {
    if (this.#call.isEnded) return;
    this.#call.send({ header: undefined, remaining_bytes: remaining, blob, version: ETCD_VERSION });
  }
}
