/**
 * Room for the records of the store, cut from slabs: one allocation serves hundreds of records, and
 * LMDB is asked for the address of a slab instead of each record's. A slab lives as long as any
 * piece of it.
 */

/** Bytes of a slab: a few hundred records of usual size. */
const SLAB_BYTES = 64 * 1024;

/** Larger pieces get memory of their own, so that a slab is never left half empty. */
const PIECE_BYTES_MAX = SLAB_BYTES / 4;

/** Cuts pieces from slabs. `bytes` and `view` show the memory of the last piece, at `offset`. */
export class Arena {
  /** The memory of the last piece reserved. */
  bytes: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  /** The same memory, to write numbers big-endian. */
  view: DataView = viewOf(this.bytes);
  /** Where the last piece starts. */
  offset = 0;
  #sizeBytes = 0;
  #slab: Buffer = this.bytes;
  #slabView: DataView = this.view;
  #usedBytes = 0;

  /** Reserves a piece, to be filled through `bytes` and `view`. Its contents are undefined. */
  reserve(sizeBytes: number): number {
    this.#sizeBytes = sizeBytes;
    if (sizeBytes > PIECE_BYTES_MAX) {
      this.bytes = Buffer.allocUnsafeSlow(sizeBytes);
      this.view = viewOf(this.bytes);
      this.offset = 0;
      return 0;
    }
    if (this.#usedBytes + sizeBytes > SLAB_BYTES) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#slabView = viewOf(this.#slab);
      this.#usedBytes = 0;
    }
    this.bytes = this.#slab;
    this.view = this.#slabView;
    this.offset = this.#usedBytes;
    this.#usedBytes += sizeBytes;
    return this.offset;
  }

  /** The last piece reserved, given away. */
  piece(): Buffer {
    return this.bytes.subarray(this.offset, this.offset + this.#sizeBytes);
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
