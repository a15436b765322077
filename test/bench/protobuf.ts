/**
 * The little of protobuf that a load generator needs: fields are put together once, and numbers in
 * them are patched, so they always take the same room.
 */

/** Bytes of a patched number: enough for 35 bits. */
export const PADDED_VARINT_BYTES = 5;

/** A number of any size. */
export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** A field of bytes: its number, length and content. */
export function bytesField(field: number, ...content: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(content);
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

/** A field of a number. */
export function varintField(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

/** A field of a number that is patched later. */
export function paddedField(field: number, value: number): Buffer {
  const number = Buffer.alloc(PADDED_VARINT_BYTES);
  writePaddedVarint(number, 0, value);
  return Buffer.concat([varint(field << 3), number]);
}

/** Writes a number below 2^35 in PADDED_VARINT_BYTES: all but the last one say that more follow. */
export function writePaddedVarint(out: Buffer, offset: number, value: number): void {
  let rest = value;
  for (let at = offset; at < offset + PADDED_VARINT_BYTES - 1; at += 1) {
    out[at] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  out[offset + PADDED_VARINT_BYTES - 1] = rest;
}

/**
 * Finds a field of a message.
 * @returns where its number or content starts; -1 when it is not there
 * @throws Error for what is no message
 */
export function findField(bytes: Buffer, start: number, end: number, wanted: number): number {
  let at = start;
  while (at < end) {
    const tagEnd = skipVarint(bytes, at);
    const field = tagEnd - at === 1 ? bytes[at]! >>> 3 : -1;
    const isSized = (bytes[at]! & 7) === 2;
    const numberEnd = skipVarint(bytes, tagEnd);
    if (field === wanted) return isSized ? numberEnd : tagEnd;
    at = isSized ? numberEnd + readVarint(bytes, tagEnd) : numberEnd;
  }
  if (at !== end) throw new Error('a message of etcd cannot be read');
  return -1;
}

function skipVarint(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at]! >= 0x80) at += 1;
  return at + 1;
}

/** A number below 2^53. */
function readVarint(bytes: Buffer, start: number): number {
  let value = 0;
  let scale = 1;
  for (let at = start; ; at += 1) {
    value += (bytes[at]! & 0x7f) * scale;
    if (bytes[at]! < 0x80) return value;
    scale *= 0x80;
  }
}
