/**
 * The reply to a range of many pairs, written some of them a turn of the event loop: into a writer
 * of its own, whose frame then takes its place behind what is pending. So what else the node has to
 * say to this client and to others leaves meanwhile.
 */

import { KvorumError, type RangeReply } from '../../include/rpc.ts';
import type { Connection } from './connection.ts';
import { writeError } from './connection-codec.ts';
import type { FrameWriter } from './frame-writer.ts';
import { putPair } from './pair-codec.ts';
import { beginRangeReply } from './reply-codec.ts';

/** Pairs written in one turn: 1 ms. */
const STEP_PAIRS_MAX = 2_000;

/** Bytes of keys and values after which a turn ends early. */
const STEP_BYTES_MAX = 2 * 1024 * 1024;

/** Whether a reply takes more than one turn. */
export function isLargeReply({ kvs }: RangeReply): boolean {
  if (kvs.length > STEP_PAIRS_MAX) return true;
  let sizeBytes = 0;
  for (const { key, value } of kvs) sizeBytes += key.length + value.length;
  return sizeBytes > STEP_BYTES_MAX;
}

/** A reply being written. */
export class LargeReply {
  readonly #connection: Connection;
  readonly #id: number;
  readonly #body: RangeReply;
  readonly #writer: FrameWriter;
  #slot = 0;

  constructor(connection: Connection, id: number, body: RangeReply) {
    this.#connection = connection;
    this.#id = id;
    this.#body = body;
    this.#writer = connection.sideWriter();
    beginRangeReply(this.#writer, id, body);
  }

  /** Writes some more; returns whether it is done. */
  step(): boolean {
    const { kvs } = this.#body;
    if (this.#connection.isClosed) {
      this.#writer.drop();
      return true;
    }
    const end = Math.min(kvs.length, this.#slot + STEP_PAIRS_MAX);
    for (let sizeBytes = 0; this.#slot < end && sizeBytes < STEP_BYTES_MAX; this.#slot += 1) {
      const pair = kvs[this.#slot]!;
      putPair(this.#writer, pair);
      sizeBytes += pair.key.length + pair.value.length;
    }
    if (this.#slot < kvs.length) return false;
    this.#end();
    return true;
  }

  #end(): void {
    const { writer } = this.#connection;
    try {
      this.#writer.end();
      writer.adopt(this.#writer);
    } catch (error) {
      if (!(error instanceof KvorumError)) throw error;
      this.#writer.drop();
      writeError(writer, this.#id, error.code, error.message);
    }
  }
}
