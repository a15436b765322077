/** The numbers of HTTP/2 (RFC 9113), and this side's limits. */

/** What a client says first. */
export const PREFACE: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Bytes of a frame before its payload. */
export const FRAME_HEAD_BYTES = 9;

/** Largest payload of a frame: the protocol's default, in both directions. */
export const FRAME_BYTES_MAX = 16_384;

/** What a window holds before anybody says otherwise. */
export const WINDOW_BYTES_DEFAULT = 65_535;

/** The largest window. */
export const WINDOW_BYTES_MAX = 0x7fff_ffff;

/** What a stream may send before it is told more: most requests in one go. */
export const STREAM_WINDOW_BYTES = 1024 * 1024;

/** What a connection may send before it is told more. */
export const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;

/** Most streams of a connection at once: gRPC servers in Go set no limit, memory does. */
export const STREAMS_MAX = 100_000;

/** Most bytes of a header block, compressed, over all its frames. */
export const HEADER_BLOCK_BYTES_MAX = 64 * 1024;

/** Most frames of a header block. */
export const HEADER_BLOCK_FRAMES_MAX = 32;

/** Bytes waiting for the socket at which no more is given to it, and at which it is not read. */
export const SOCKET_QUEUED_BYTES_MAX = 1024 * 1024;

/** Milliseconds over which frames that do no work are counted. */
export const NUISANCE_WINDOW_MS = 10_000;

/** Most frames in that time that do no work: PING, SETTINGS, PRIORITY, empty DATA and others. */
export const NUISANCE_FRAMES_MAX = 50_000;

/** Most streams in that time that the client resets (rapid reset, CVE-2023-44487). */
export const RESETS_MAX = 20_000;

/** Frame types. */
export const H2Frame = {
  Data: 0,
  Headers: 1,
  Priority: 2,
  RstStream: 3,
  Settings: 4,
  PushPromise: 5,
  Ping: 6,
  GoAway: 7,
  WindowUpdate: 8,
  Continuation: 9,
} as const;

/** Frame flags. */
export const H2Flag = {
  Ack: 0x1,
  EndStream: 0x1,
  EndHeaders: 0x4,
  Padded: 0x8,
  Priority: 0x20,
} as const;

/** Settings. */
export const H2Setting = {
  HeaderTableSize: 1,
  EnablePush: 2,
  MaxConcurrentStreams: 3,
  InitialWindowSize: 4,
  MaxFrameSize: 5,
  MaxHeaderListSize: 6,
} as const;

/** Error codes. */
export const H2Error = {
  None: 0,
  Protocol: 1,
  Internal: 2,
  FlowControl: 3,
  StreamClosed: 5,
  FrameSize: 6,
  RefusedStream: 7,
  Cancel: 8,
  Compression: 9,
  EnhanceYourCalm: 11,
} as const;
/** One of the values of H2Error. */
export type H2Error = (typeof H2Error)[keyof typeof H2Error];

/** Something that ends the connection: a GOAWAY with this code and text. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: H2Error;

  constructor(code: H2Error, text: string) {
    super(text);
    this.code = code;
  }
}
