/** The bytes of a simulated file: they grow in place as long as there is room behind them. */

/** The room is all zeros. */
export type Content = { room: Buffer; sizeBytes: number };

/** A content of its own with the same bytes. */
export function contentFrom(bytes: Buffer): Content {
  return { room: Buffer.from(bytes), sizeBytes: bytes.length };
}

/** Borrowed: valid until the next `put`. */
export function bytesOf({ room, sizeBytes }: Content): Buffer {
  return room.subarray(0, sizeBytes);
}

/** Puts bytes into a content, in place unless it must grow. */
export function put(content: Content, offset: number, bytes: Buffer): void {
  const end = offset + bytes.length;
  if (content.room.length < end) {
    const { room } = content;
    content.room = Buffer.alloc(2 * end);
    room.copy(content.room);
  }
  bytes.copy(content.room, offset);
  content.sizeBytes = Math.max(content.sizeBytes, end);
}
