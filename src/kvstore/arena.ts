/**
 * Room to make the records of the store in, on their way into its map, which copies them.
 *
 * A piece holds until so many more are reserved that its place comes round again: use it at once.
 */

/** Bytes of the room, unless told. */
const ROOM_BYTES = 64 * 1024;

/** Pieces larger than this part of the room get memory of their own. */
const PIECE_PART_MAX = 1 / 4;

/** Cuts pieces from the room. `bytes` and `view` show the memory of the last one, at `offset`. */
export class Arena {
  /** The memory of the last piece reserved. */
  bytes: Buffer;
  /** The same memory, to write numbers big-endian. */
  view: DataView;
  /** Where the last piece starts. */
  offset = 0;
  #sizeBytes = 0;
  readonly #room: Buffer;
  readonly #roomView: DataView;
  readonly #pieceBytesMax: number;
  #usedBytes = 0;

  constructor(roomBytes: number = ROOM_BYTES) {
    this.#room = Buffer.allocUnsafeSlow(roomBytes);
    this.#roomView = viewOf(this.#room);
    this.#pieceBytesMax = roomBytes * PIECE_PART_MAX;
    this.bytes = this.#room;
    this.view = this.#roomView;
  }

  /** Reserves a piece, to be filled through `bytes` and `view`. Its contents are undefined. */
  reserve(sizeBytes: number): number {
    this.#sizeBytes = sizeBytes;
    if (sizeBytes > this.#pieceBytesMax) {
      this.bytes = Buffer.allocUnsafeSlow(sizeBytes);
      this.view = viewOf(this.bytes);
      this.offset = 0;
      return 0;
    }
    if (this.#usedBytes + sizeBytes > this.#room.length) this.#usedBytes = 0;
    this.bytes = this.#room;
    this.view = this.#roomView;
    this.offset = this.#usedBytes;
    this.#usedBytes += sizeBytes;
    return this.offset;
  }

  /** The last piece reserved. */
  piece(): Buffer {
    return this.bytes.subarray(this.offset, this.offset + this.#sizeBytes);
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
