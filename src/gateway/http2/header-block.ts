/** A header block on its way: one HEADERS frame and the CONTINUATION frames behind it. */

import { assert } from '../../assert.ts';
import {
  ConnectionError,
  H2Error,
  HEADER_BLOCK_BYTES_MAX,
  HEADER_BLOCK_FRAMES_MAX,
} from './frames.ts';

/** A whole block. */
export type WholeBlock = {
  readonly streamId: number;
  readonly isEndStream: boolean;
  readonly bytes: Buffer;
};

/** The header block of a connection; there is one at a time. */
export class HeaderBlock {
  #parts: Buffer[] = [];
  #partBytes = 0;
  #streamId = 0;
  #isEndStream = false;

  /** Whether one has begun and is not whole. */
  get isOpen(): boolean {
    return this.#parts.length > 0;
  }

  /** Begins one. */
  begin(streamId: number, bytes: Buffer, isEndStream: boolean): void {
    assert(!this.isOpen, 'a block is taken before the next begins', streamId);
    this.#streamId = streamId;
    this.#isEndStream = isEndStream;
    this.#partBytes = 0;
    this.#add(bytes);
  }

  /** Goes on with it. @throws ConnectionError */
  go(streamId: number, bytes: Buffer): void {
    if (!this.isOpen || streamId !== this.#streamId) {
      throw new ConnectionError(H2Error.Protocol, 'CONTINUATION of nothing');
    }
    this.#add(bytes);
  }

  /** Takes it. */
  take(): WholeBlock {
    const bytes = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
    this.#parts = [];
    return { streamId: this.#streamId, isEndStream: this.#isEndStream, bytes };
  }

  #add(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.#partBytes += bytes.length;
    const isLong = this.#partBytes > HEADER_BLOCK_BYTES_MAX;
    if (!isLong && this.#parts.length <= HEADER_BLOCK_FRAMES_MAX) return;
    throw new ConnectionError(H2Error.EnhanceYourCalm, 'the headers are too long');
  }
}
