/** Cuts what a socket gives into frames, behind the client's preface. */

import { ConnectionError, FRAME_BYTES_MAX, FRAME_HEAD_BYTES, H2Error, PREFACE } from './frames.ts';

/** Told of each frame; its payload is a view of what the socket gave. Returns whether to go on. */
export type OnFrame = (type: number, flags: number, streamId: number, payload: Buffer) => boolean;

/** The receiving half of a connection, before frames have a meaning. */
export class FrameSplitter {
  #rest: Buffer | undefined = undefined;
  #hasPreface = false;

  /** Takes the next bytes. @throws ConnectionError */
  push(chunk: Buffer, onFrame: OnFrame): void {
    const buffer = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    if (!this.#hasPreface) {
      if (buffer.length < PREFACE.length) {
        this.#rest = buffer;
        return;
      }
      if (!buffer.subarray(0, PREFACE.length).equals(PREFACE)) {
        throw new ConnectionError(H2Error.Protocol, 'no preface');
      }
      this.#hasPreface = true;
      at = PREFACE.length;
    }
    while (buffer.length - at >= FRAME_HEAD_BYTES) {
      const length = buffer.readUIntBE(at, 3);
      if (length > FRAME_BYTES_MAX) throw new ConnectionError(H2Error.FrameSize, 'frame too large');
      const end = at + FRAME_HEAD_BYTES + length;
      if (end > buffer.length) break;
      const streamId = buffer.readUInt32BE(at + 5) & 0x7fff_ffff;
      const payload = buffer.subarray(at + FRAME_HEAD_BYTES, end);
      if (!onFrame(buffer[at + 3]!, buffer[at + 4]!, streamId, payload)) return;
      at = end;
    }
    // What is kept is copied: a view would pin the chunk, and the next one is put behind it.
    this.#rest = at === buffer.length ? undefined : Buffer.from(buffer.subarray(at));
  }
}
