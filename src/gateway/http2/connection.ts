/**
 * The server's side of an HTTP/2 connection (RFC 9113): frames in, streams out, windows kept.
 *
 * The socket may be any stream of bytes: TLS takes its place without a change here.
 *
 * What the client does wrong ends its stream (RST_STREAM) or its connection (GOAWAY), never more.
 * Limits: those of frames.ts; one that sends frames that do no work, or resets what it asked, in
 * floods, is told ENHANCE_YOUR_CALM and cut. A client that does not read is not read from.
 */

import type { Duplex } from 'node:stream';
import type { Clock } from '../../clock.ts';
import type { FlushQueue } from '../../rpc/flush-queue.ts';
import { FrameSplitter } from './frame-splitter.ts';
import {
  CONNECTION_WINDOW_BYTES,
  ConnectionError,
  FRAME_BYTES_MAX,
  H2Error,
  H2Flag,
  H2Frame,
  H2Setting,
  STREAM_WINDOW_BYTES,
  STREAMS_MAX,
  WINDOW_BYTES_DEFAULT,
  WINDOW_BYTES_MAX,
} from './frames.ts';
import { HeaderBlock } from './header-block.ts';
import { HEADER_LIST_BYTES_MAX, HpackError, HpackReader } from './hpack.ts';
import { Nuisance } from './nuisance.ts';
import { areRequestHeaders } from './request-headers.ts';
import { Sender } from './sender.ts';
import { Http2Stream, type StreamOwner } from './stream.ts';

/** Milliseconds a connection that was told GOAWAY has to be read before it is cut. */
const LINGER_MS = 1_000;

/** What a connection is made from. */
export type Http2Options = {
  readonly clock: Clock;
  readonly flushQueue: Pick<FlushQueue, 'add'>;
  /** A request begins: set its listener. */
  readonly onStream: (stream: Http2Stream) => void;
  readonly onClosed: (connection: Http2Connection) => void;
};

/** A connection to a client. */
export class Http2Connection implements StreamOwner {
  readonly #options: Http2Options;
  readonly #socket: Duplex;
  readonly #sender: Sender;
  readonly #splitter: FrameSplitter = new FrameSplitter();
  readonly #hpack: HpackReader = new HpackReader();
  readonly #block: HeaderBlock = new HeaderBlock();
  readonly #nuisance: Nuisance;
  readonly #streams: Map<number, Http2Stream> = new Map();

  #lastStreamId = 0;
  /** Bytes of DATA received since the peer was told more. */
  #receivedBytes = 0;
  /** No new streams are taken. */
  #isLeaving = false;
  #isClosed = false;

  /** @param head bytes that were read from the socket already */
  constructor(socket: Duplex, head: Buffer, options: Http2Options) {
    this.#options = options;
    this.#socket = socket;
    this.#nuisance = new Nuisance(options.clock);
    this.#sender = new Sender(socket, options.flushQueue, this.#nuisance);
    socket.on('data', (chunk: Buffer) => this.#onChunk(chunk));
    socket.on('end', () => this.#onRemoteEnd());
    socket.on('error', () => undefined); // 'close' follows
    socket.on('close', () => this.#onClose());
    this.#sender.settings([
      [H2Setting.MaxConcurrentStreams, STREAMS_MAX],
      [H2Setting.InitialWindowSize, STREAM_WINDOW_BYTES],
      [H2Setting.MaxHeaderListSize, HEADER_LIST_BYTES_MAX],
    ]);
    this.#sender.windowUpdate(0, CONNECTION_WINDOW_BYTES - WINDOW_BYTES_DEFAULT);
    this.#onChunk(head);
  }

  /** How many requests are under way. */
  get streamCount(): number {
    return this.#streams.size;
  }

  /** Takes no more requests, and closes when the last one is answered. */
  leave(): void {
    if (this.#isLeaving || this.#isClosed) return;
    this.#isLeaving = true;
    this.#sender.goAway(this.#lastStreamId, H2Error.None, '');
    this.#closeWhenDone();
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#socket.destroy();
  }

  // ---- what streams say ----

  sendHeaders(stream: Http2Stream, block: Buffer, isEnd: boolean): void {
    this.#sender.headers(stream, block, isEnd);
  }

  sendData(stream: Http2Stream, bytes: Buffer): number {
    return this.#sender.data(stream, bytes);
  }

  sendEnd(stream: Http2Stream): void {
    this.#sender.end(stream);
  }

  sendReset(stream: Http2Stream, code: number): void {
    this.#sender.reset(stream.id, code);
  }

  onEnded(stream: Http2Stream): void {
    this.#sender.forget(stream);
    if (!this.#streams.delete(stream.id)) return;
    // An answer may be whole before its request is: the client is told to stop.
    if (!stream.isRemoteEnded) this.#sender.reset(stream.id, H2Error.None);
    if (this.#isLeaving) this.#closeWhenDone();
  }

  // ---- frames ----

  #onChunk(chunk: Buffer): void {
    if (this.#isClosed) return;
    try {
      this.#splitter.push(chunk, (type, flags, streamId, payload) => {
        this.#onFrame(type, flags, streamId, payload);
        return !this.#isClosed;
      });
    } catch (error) {
      if (error instanceof ConnectionError) this.#fail(error.code, error.message);
      else if (error instanceof HpackError) this.#fail(H2Error.Compression, error.message);
      else throw error;
    }
  }

  #onFrame(type: number, flags: number, streamId: number, payload: Buffer): void {
    if (this.#block.isOpen && type !== H2Frame.Continuation) {
      throw new ConnectionError(H2Error.Protocol, 'a header block is not whole');
    }
    switch (type) {
      case H2Frame.Data:
        return this.#onData(flags, streamId, payload);
      case H2Frame.Headers:
        return this.#onHeaders(flags, streamId, payload);
      case H2Frame.Continuation:
        this.#block.go(streamId, payload);
        if ((flags & H2Flag.EndHeaders) !== 0) this.#onBlock();
        return;
      case H2Frame.RstStream:
        return this.#onReset(streamId, payload);
      case H2Frame.Settings:
        return this.#onSettings(flags, streamId, payload);
      case H2Frame.Ping:
        return this.#onPing(flags, streamId, payload);
      case H2Frame.WindowUpdate:
        return this.#onWindowUpdate(streamId, payload);
      case H2Frame.GoAway:
        this.#isLeaving = true;
        return this.#closeWhenDone();
      case H2Frame.PushPromise:
        throw new ConnectionError(H2Error.Protocol, 'a client pushes nothing');
      case H2Frame.Priority:
        if (payload.length !== 5) throw new ConnectionError(H2Error.FrameSize, 'PRIORITY');
        return this.#nuisance.count();
      default:
        this.#nuisance.count(); // unknown ones are ignored
    }
  }

  #onData(flags: number, streamId: number, payload: Buffer): void {
    const stream = this.#streams.get(streamId);
    this.#receivedBytes += payload.length;
    if (this.#receivedBytes > CONNECTION_WINDOW_BYTES / 2) this.#widenConnection();
    if (stream === undefined || stream.isRemoteEnded) {
      this.#refuseIdle(streamId);
      // Sent before it was known that the stream has ended, maybe: counted, and dropped.
      this.#nuisance.count();
      return;
    }
    stream.receiveWindow -= payload.length;
    if (stream.receiveWindow < 0) {
      this.#cut(stream, H2Error.FlowControl);
      return;
    }
    const bytes = (flags & H2Flag.Padded) === 0 ? payload : unpad(payload);
    const isEnd = (flags & H2Flag.EndStream) !== 0;
    if (bytes.length === 0 && !isEnd) this.#nuisance.count();
    if (isEnd) stream.isRemoteEnded = true;
    else if (stream.receiveWindow < STREAM_WINDOW_BYTES / 2) this.#widenStream(stream);
    if (bytes.length > 0) stream.listener?.onData(bytes);
    if (isEnd) stream.listener?.onEnd();
  }

  #onHeaders(flags: number, streamId: number, payload: Buffer): void {
    if (streamId % 2 === 0) throw new ConnectionError(H2Error.Protocol, 'a client has odd streams');
    let block = (flags & H2Flag.Padded) === 0 ? payload : unpad(payload);
    if ((flags & H2Flag.Priority) !== 0) {
      if (block.length < 5) throw new ConnectionError(H2Error.FrameSize, 'HEADERS');
      block = block.subarray(5);
    }
    this.#block.begin(streamId, block, (flags & H2Flag.EndStream) !== 0);
    if ((flags & H2Flag.EndHeaders) !== 0) this.#onBlock();
  }

  #onBlock(): void {
    const { streamId, isEndStream, bytes } = this.#block.take();
    const headers = this.#hpack.read(bytes);
    const known = this.#streams.get(streamId);
    if (known !== undefined) {
      this.#onTrailers(known, isEndStream);
      return;
    }
    if (streamId <= this.#lastStreamId) {
      this.#nuisance.count(); // trailers of a stream that has ended here
      return;
    }
    this.#lastStreamId = streamId;
    if (this.#isLeaving || this.#streams.size >= STREAMS_MAX) {
      this.#sender.reset(streamId, H2Error.RefusedStream);
      return;
    }
    if (headers === undefined) {
      this.#sender.reset(streamId, H2Error.EnhanceYourCalm);
      return;
    }
    if (!areRequestHeaders(headers)) {
      this.#nuisance.count();
      this.#sender.reset(streamId, H2Error.Protocol);
      return;
    }
    const { streamWindow } = this.#sender;
    const stream = new Http2Stream(this, streamId, headers, streamWindow, STREAM_WINDOW_BYTES);
    stream.isRemoteEnded = isEndStream;
    this.#streams.set(streamId, stream);
    this.#options.onStream(stream);
    if (isEndStream) stream.listener?.onEnd();
  }

  #onTrailers(stream: Http2Stream, isEndStream: boolean): void {
    if (!isEndStream || stream.isRemoteEnded) {
      throw new ConnectionError(H2Error.Protocol, 'headers within a request');
    }
    stream.isRemoteEnded = true;
    stream.listener?.onEnd();
  }

  #onReset(streamId: number, payload: Buffer): void {
    if (payload.length !== 4) throw new ConnectionError(H2Error.FrameSize, 'RST_STREAM');
    this.#refuseIdle(streamId);
    this.#nuisance.countReset();
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    this.#streams.delete(streamId);
    stream.abandon();
  }

  #onSettings(flags: number, streamId: number, payload: Buffer): void {
    if (streamId !== 0) throw new ConnectionError(H2Error.Protocol, 'SETTINGS of a stream');
    if ((flags & H2Flag.Ack) !== 0) {
      if (payload.length > 0) throw new ConnectionError(H2Error.FrameSize, 'SETTINGS');
      return;
    }
    if (payload.length % 6 !== 0) throw new ConnectionError(H2Error.FrameSize, 'SETTINGS');
    this.#nuisance.count();
    for (let at = 0; at < payload.length; at += 6) {
      this.#onSetting(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    }
    this.#sender.settingsAck();
    this.#sender.resumeAll();
  }

  #onSetting(name: number, value: number): void {
    if (name === H2Setting.InitialWindowSize) {
      if (value > WINDOW_BYTES_MAX) throw new ConnectionError(H2Error.FlowControl, 'window size');
      const more = value - this.#sender.streamWindow;
      this.#sender.streamWindow = value;
      for (const stream of this.#streams.values()) widen(stream, more);
    } else if (name === H2Setting.MaxFrameSize) {
      if (value < FRAME_BYTES_MAX || value > 0xff_ffff) {
        throw new ConnectionError(H2Error.Protocol, 'frame size');
      }
      this.#sender.setFrameBytesMax(value);
    } else if (name === H2Setting.EnablePush && value > 1) {
      throw new ConnectionError(H2Error.Protocol, 'push is on or off');
    }
  }

  #onPing(flags: number, streamId: number, payload: Buffer): void {
    if (streamId !== 0) throw new ConnectionError(H2Error.Protocol, 'PING of a stream');
    if (payload.length !== 8) throw new ConnectionError(H2Error.FrameSize, 'PING');
    if ((flags & H2Flag.Ack) !== 0) return;
    this.#nuisance.countPing(this.#streams.size > 0);
    this.#sender.pingAck(payload);
  }

  #onWindowUpdate(streamId: number, payload: Buffer): void {
    if (payload.length !== 4) throw new ConnectionError(H2Error.FrameSize, 'WINDOW_UPDATE');
    const more = payload.readUInt32BE(0) & WINDOW_BYTES_MAX;
    if (streamId !== 0) {
      this.#refuseIdle(streamId);
      const stream = this.#streams.get(streamId);
      if (stream === undefined) return;
      if (more === 0 || stream.sendWindow + more > WINDOW_BYTES_MAX) {
        this.#cut(stream, more === 0 ? H2Error.Protocol : H2Error.FlowControl);
        return;
      }
      stream.sendWindow += more;
      if (stream.queuedBytes === 0) this.#nuisance.count();
      else stream.resume();
      return;
    }
    if (more === 0) throw new ConnectionError(H2Error.Protocol, 'WINDOW_UPDATE of nothing');
    if (!this.#sender.isBlocked) this.#nuisance.count();
    this.#sender.widen(more);
  }

  #widenStream(stream: Http2Stream): void {
    this.#sender.windowUpdate(stream.id, STREAM_WINDOW_BYTES - stream.receiveWindow);
    stream.receiveWindow = STREAM_WINDOW_BYTES;
  }

  #widenConnection(): void {
    this.#sender.windowUpdate(0, this.#receivedBytes);
    this.#receivedBytes = 0;
  }

  // ---- ends ----

  #refuseIdle(streamId: number): void {
    if (streamId === 0 || streamId > this.#lastStreamId) {
      throw new ConnectionError(H2Error.Protocol, `stream ${streamId} is idle`);
    }
  }

  #cut(stream: Http2Stream, code: H2Error): void {
    this.#streams.delete(stream.id);
    this.#sender.reset(stream.id, code);
    stream.abandon();
  }

  /** The client says nothing more; what it asked is answered. */
  #onRemoteEnd(): void {
    this.#isLeaving = true;
    this.#closeWhenDone();
  }

  #closeWhenDone(): void {
    if (this.#streams.size === 0) this.#close();
  }

  #fail(code: H2Error, text: string): void {
    this.#sender.goAway(this.#lastStreamId, code, text);
    this.#close();
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#sender.close();
    this.#socket.end();
    this.#options.clock.after(LINGER_MS, () => this.#socket.destroy());
    this.#onClose();
  }

  #onClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of streams) stream.abandon();
    this.#options.onClosed(this);
  }
}

function unpad(payload: Buffer): Buffer {
  const padBytes = payload[0] ?? payload.length;
  if (padBytes >= payload.length) throw new ConnectionError(H2Error.Protocol, 'padding');
  return payload.subarray(1, payload.length - padBytes);
}

function widen(stream: Http2Stream, bytes: number): void {
  stream.sendWindow += bytes;
  if (stream.sendWindow > WINDOW_BYTES_MAX) {
    throw new ConnectionError(H2Error.FlowControl, 'the window is too large');
  }
}
