/**
 * The few bytes of HTTP/2 (RFC 9113) and HPACK (RFC 7541) that a load generator needs.
 *
 * A frame is `length u24 | type u8 | flags u8 | stream u32 | payload`. Header blocks are made once:
 * the first request of a connection enters its fields into the server's dynamic table, all others
 * are indexes into it, as any real gRPC client ends up sending them.
 */

/** Bytes of a frame before its payload. */
export const H2_HEADER_BYTES = 9;

/** Frame types in use. */
export const H2Type = {
  Data: 0x0,
  Headers: 0x1,
  RstStream: 0x3,
  Settings: 0x4,
  Ping: 0x6,
  GoAway: 0x7,
  WindowUpdate: 0x8,
} as const;

/** Frame flags in use. ACK is the same bit as END_STREAM, on SETTINGS and PING. */
export const H2Flag = { EndStream: 0x1, Ack: 0x1, EndHeaders: 0x4 } as const;

/** What a client says first. */
export const H2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** The window every connection and stream starts with (RFC 9113, 6.9.2). */
export const H2_WINDOW_INITIAL = 65_535;

/** The largest window there can be. */
export const H2_WINDOW_MAX = 0x7fff_ffff;

const SETTING_INITIAL_WINDOW_SIZE = 0x4;

/** Builds a frame. */
export function h2Frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const frame = Buffer.alloc(H2_HEADER_BYTES + payload.length);
  frame.writeUIntBE(payload.length, 0, 3);
  frame.writeUInt8(type, 3);
  frame.writeUInt8(flags, 4);
  frame.writeUInt32BE(stream, 5);
  payload.copy(frame, H2_HEADER_BYTES);
  return frame;
}

/** Adds `increment` bytes to the window of a stream, or of the connection (stream 0). */
export function h2WindowUpdate(stream: number, increment: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(increment);
  return h2Frame(H2Type.WindowUpdate, 0, stream, payload);
}

/** Preface, settings and a window so large that it is refilled once a gigabyte. */
export function h2Opening(): Buffer {
  const setting = Buffer.alloc(6);
  setting.writeUInt16BE(SETTING_INITIAL_WINDOW_SIZE, 0);
  setting.writeUInt32BE(H2_WINDOW_MAX, 2);
  return Buffer.concat([
    H2_PREFACE,
    h2Frame(H2Type.Settings, 0, 0, setting),
    h2WindowUpdate(0, H2_WINDOW_MAX - H2_WINDOW_INITIAL),
  ]);
}

/** The header blocks of a gRPC call. */
export type HeaderBlocks = {
  /** For a connection's first request: fills the server's dynamic table. */
  readonly first: Buffer;
  /** For all others: indexes only. */
  readonly next: Buffer;
};

/** Makes the header blocks of the gRPC method `path`. */
export function grpcHeaderBlocks(path: string, authority: string): HeaderBlocks {
  const methodPost = 0x83;
  const schemeHttp = 0x86;
  // Fields of the dynamic table, oldest first: static index of the name (0: spelt out), name,
  // value.
  const fields = [
    [4, '', path],
    [1, '', authority],
    [31, '', 'application/grpc'],
    [0, 'te', 'trailers'],
  ] as const;
  const first: Buffer[] = [Buffer.from([methodPost, schemeHttp])];
  for (const [nameIndex, name, value] of fields) {
    first.push(Buffer.from([0x40 | nameIndex]));
    if (nameIndex === 0) first.push(hpackString(name));
    first.push(hpackString(value));
  }
  // The newest entry is 62: the first of four has moved to 65.
  const indexes = fields.map((_, slot) => 0x80 | (62 + fields.length - 1 - slot));
  return {
    first: Buffer.concat(first),
    next: Buffer.from([methodPost, schemeHttp, ...indexes]),
  };
}

/** A string literal without Huffman coding, shorter than 127 bytes. */
function hpackString(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length >= 0x7f) throw new Error(`HPACK string too long: ${text}`);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}
