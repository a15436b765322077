/**
 * One connection: frames in, frames out, and what happens when either side is slow or wrong.
 *
 * Frames are written into `writer` and leave with the turn of the event loop, in one write. At most
 * one batch of WRITE_BATCH_BYTES is with the socket at a time, so progress shows batch by batch.
 *
 * Reading pauses, in the middle of a chunk if need be, while the other side leaves too much unread,
 * has too many requests in flight, or the owner asks for it. What the other side does can end its
 * own connection only: malformed frames are answered by an ERROR frame that says why, then it is
 * closed.
 *
 * Invariants: onClose is called exactly once; no frame is handed over after it; writing to a closed
 * connection is harmless and does nothing.
 *
 *   open --refuse()--> lingering --(read or CLOSE_LINGER_MS)--> gone
 *     |--close(), end, error-------------------------------------^
 */

import type { Duplex } from 'node:stream';
import {
  CLOSE_LINGER_MS,
  CloseReason,
  ErrorCode,
  FrameType,
  type Hello,
  KvorumError,
  WRITE_BATCH_BYTES,
} from '../../include/rpc.ts';
import type { Clock, Timer } from '../clock.ts';
import { decodeError, decodeStamp, writeError, writePong } from './connection-codec.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import type { FlushQueue } from './flush-queue.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import type { Segment } from './segment-pool.ts';

/**
 * Takes a frame that is not about the connection itself; its body is buffer[bodyStart, bodyEnd).
 *
 * A KvorumError thrown here is the other side's fault: of a request (codes from 32) it becomes the
 * answer, of a frame it ends the connection. Anything else thrown is a bug and is not caught.
 */
export type OnFrame = (
  connection: Connection,
  type: number,
  id: number,
  buffer: Buffer,
  bodyStart: number,
  bodyEnd: number,
) => void;

/** The connection has ended, without an error in order. Once, maybe within `close` or `refuse`. */
export type OnClose = (
  connection: Connection,
  reason: CloseReason,
  error: KvorumError | undefined,
) => void;

/** Codes below this end a connection; from it on they answer a request. */
const REQUEST_CODE_MIN = 32;

const ignoreFrame: OnFrame = () => {};
const ignoreClose: OnClose = () => {};

/** One connection to or from another process. */
export class Connection {
  /** Where frames are written to; they leave with the turn. */
  readonly writer: FrameWriter;
  /** `address:port` of the other side, for people. */
  readonly remote: string;
  /** What the other side said first; undefined until then. */
  hello: Hello | undefined = undefined;
  /** Why it was closed; undefined while it is open. */
  closeReason: CloseReason | undefined = undefined;
  /** What went wrong, if anything did. */
  closeError: KvorumError | undefined = undefined;
  /** Bytes that came, and that the kernel has taken. */
  receivedBytes = 0;
  sentBytes = 0;
  /** Whatever the owner wants to find again when a frame comes. */
  owner: unknown = undefined;
  onFrame: OnFrame = ignoreFrame;
  onClose: OnClose = ignoreClose;
  /** The socket is released, for whoever counts sockets; maybe much later than onClose. */
  onGone: ((connection: Connection) => void) | undefined = undefined;
  /** Called when all that was queued is with the kernel; for whoever paces a stream. */
  onDrain: (() => void) | undefined = undefined;

  readonly #socket: Duplex;
  readonly #clock: Clock;
  readonly #flushQueue: FlushQueue;
  readonly #reader: FrameReader;
  #limits: ConnectionLimits;

  /** The batch with the socket. */
  readonly #batch: Segment[] = [];
  #batchBytes = 0;
  #stallTicks = 0;

  #isHeard = false;
  #silentTicks = 0;

  #handedCount = 0;
  #isPausedByOwner = false;
  #isPaused = false;
  #isResuming = false;

  #isClosed = false;
  #isDestroyed = false;
  #linger: Timer | undefined = undefined;

  /**
   * @param socket connected or still connecting; this connection's from now on
   * @param remote `address:port` of the other side, for people
   */
  constructor(
    socket: Duplex,
    remote: string,
    limits: ConnectionLimits,
    clock: Clock,
    flushQueue: FlushQueue,
  ) {
    this.#socket = socket;
    this.remote = remote;
    this.#limits = limits;
    this.#clock = clock;
    this.#flushQueue = flushQueue;
    this.writer = new FrameWriter(flushQueue.pool, limits.writeLengthMax, limits.tooLong, () =>
      flushQueue.add(this),
    );
    this.#reader = new FrameReader(limits.readLengthMax, this.#dispatch);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onSocketClose);
  }

  /** Whether it has ended: nothing more will come, nothing more is sent. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Bytes of frames that the kernel has not taken yet. */
  get queuedBytes(): number {
    return this.writer.pendingBytes + this.#batchBytes;
  }

  /** Requests handed over and not answered by a REPLY, ERROR or REDIRECT. */
  get inflightCount(): number {
    return this.#handedCount - this.writer.answerCount;
  }

  /** A writer for a frame that takes several turns; `writer` then adopts it. */
  sideWriter(): FrameWriter {
    const { writeLengthMax, tooLong } = this.#limits;
    return new FrameWriter(this.#flushQueue.pool, writeLengthMax, tooLong, () => {});
  }

  /** Replaces the limits, when a HELLO has told what the other side is. Writing keeps its own. */
  setLimits(limits: ConnectionLimits): void {
    this.#limits = limits;
    this.#reader.lengthMax = limits.readLengthMax;
  }

  /** Hands over no further frame until `resume`. */
  pause(): void {
    this.#isPausedByOwner = true;
    this.#pauseReading();
  }

  /** Takes back `pause`; frames come again from the next turn on. */
  resume(): void {
    this.#isPausedByOwner = false;
    this.#resumeReading();
  }

  /** Gives the socket what is pending, unless it still has an earlier batch. */
  flush(): void {
    if (this.#batchBytes > 0 || this.#isDestroyed) return;
    const first = this.writer.take();
    if (first === undefined) return;

    this.#batch.push(first);
    this.#batchBytes = first.usedBytes;
    if (this.writer.pendingBytes === 0) {
      this.#socket.write(first.bytes.subarray(0, first.usedBytes), this.#onWritten);
    } else {
      this.#writeBatch(first);
    }
    // Answers that left may have made room for further requests.
    if (this.#isPaused) this.#resumeReading();
  }

  /** Refuses the other side: it is told why in an ERROR frame, then the connection is closed. */
  refuse(error: KvorumError, reason: CloseReason = CloseReason.Protocol): void {
    if (this.#isClosed) return;
    this.writer.abandon();
    writeError(this.writer, 0, error.code, error.message);
    this.end(reason, error);
  }

  /** Closes the connection once all that was written is sent, or CLOSE_LINGER_MS are over. */
  end(reason: CloseReason = CloseReason.Local, error?: KvorumError): void {
    if (this.#isClosed) return;
    this.#linger = this.#clock.after(CLOSE_LINGER_MS, () => this.#destroy());
    this.#finish(reason, error);
    // What still comes is read and dropped: a socket closed over unread bytes resets, and the other
    // side would lose what it was just told.
    if (this.#isPaused) this.#socket.resume();
    this.flush();
    if (this.#batchBytes === 0) this.#socket.end();
  }

  /** Closes the connection at once; what was not sent is dropped. */
  close(reason: CloseReason = CloseReason.Local, error?: KvorumError): void {
    if (!this.#isClosed) this.#finish(reason, error);
    this.#destroy();
  }

  /**
   * Counts one tick: a connection that stalls or is silent for too many is cut. Ticks and not time,
   * so that a process that was itself stopped for a while does not blame the others.
   */
  tick(): void {
    if (this.#isClosed) return;
    if (this.#batchBytes > 0) {
      this.#stallTicks += 1;
      if (this.#stallTicks >= this.#limits.stallTicksMax) {
        this.#cutSlowReader();
        return;
      }
    }
    if (this.#isHeard || this.#isPaused) {
      this.#isHeard = false;
      this.#silentTicks = 0;
      return;
    }
    this.#silentTicks += 1;
    if (this.#silentTicks < this.#limits.silenceTicksMax) return;
    const why = `nothing came from ${this.remote} for ${this.#silentTicks} ticks`;
    this.close(CloseReason.Silence, new KvorumError(ErrorCode.ConnectionLost, why));
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isClosed) return;
    this.#isHeard = true;
    this.receivedBytes += chunk.length;
    this.#read(chunk);
  };

  #read(chunk: Buffer | undefined): void {
    try {
      if (chunk === undefined) this.#reader.resume();
      else this.#reader.read(chunk);
    } catch (error) {
      if (!(error instanceof KvorumError)) throw error;
      this.refuse(error);
    }
  }

  readonly #dispatch = (
    type: number,
    flags: number,
    id: number,
    buffer: Buffer,
    bodyStart: number,
    bodyEnd: number,
  ): void => {
    if (this.#isClosed) return;
    if (flags !== 0) {
      throw new KvorumError(ErrorCode.FrameMalformed, `malformed frame: flags: ${flags} is not 0`);
    }
    if (type === FrameType.Ping && this.hello !== undefined) {
      writePong(this.writer, id, decodeStamp(buffer, bodyStart, bodyEnd));
    } else if (type === FrameType.Error && id === 0) {
      this.close(CloseReason.Refused, decodeError(buffer, bodyStart, bodyEnd));
      return;
    } else {
      if (type >= FrameType.Put) this.#handedCount += 1;
      this.#handOver(type, id, buffer, bodyStart, bodyEnd);
    }
    if (this.#isOverloaded(this.#limits.inflightMax)) this.#pauseReading();
    if (this.queuedBytes > this.#limits.queuedBytesMax) this.#cutSlowReader();
  };

  #handOver(type: number, id: number, buffer: Buffer, bodyStart: number, bodyEnd: number): void {
    try {
      this.onFrame(this, type, id, buffer, bodyStart, bodyEnd);
    } catch (error) {
      if (!(error instanceof KvorumError)) throw error;
      this.writer.abandon();
      if (error.code < REQUEST_CODE_MIN) this.refuse(error);
      else writeError(this.writer, id, error.code, error.message);
    }
  }

  #isOverloaded(inflightMax: number): boolean {
    return (
      this.#isPausedByOwner ||
      this.inflightCount >= inflightMax ||
      this.queuedBytes > this.#limits.queuedBytesPause
    );
  }

  #pauseReading(): void {
    if (this.#isPaused || this.#isClosed) return;
    this.#isPaused = true;
    this.#reader.stop();
    this.#socket.pause();
  }

  /**
   * Reads on if nothing speaks against it. In a turn of its own, so that no caller meets its own
   * frames.
   */
  #resumeReading(): void {
    if (!this.#isPaused || this.#isResuming) return;
    if (this.#isOverloaded(this.#limits.inflightMax / 2)) return;
    this.#isResuming = true;
    this.#clock.soon(this.#resumeNow);
  }

  readonly #resumeNow = (): void => {
    this.#isResuming = false;
    if (this.#isClosed || this.#isOverloaded(this.#limits.inflightMax)) return;
    this.#isPaused = false;
    this.#read(undefined);
    if (!this.#isPaused) this.#socket.resume();
  };

  #writeBatch(first: Segment): void {
    this.#socket.cork();
    this.#socket.write(first.bytes.subarray(0, first.usedBytes));
    let last: Segment | undefined;
    while (this.#batchBytes < WRITE_BATCH_BYTES) {
      const segment = this.writer.take();
      if (segment === undefined) break;
      if (last !== undefined) this.#socket.write(last.bytes.subarray(0, last.usedBytes));
      this.#batch.push(segment);
      this.#batchBytes += segment.usedBytes;
      last = segment;
    }
    this.#socket.write(last!.bytes.subarray(0, last!.usedBytes), this.#onWritten);
    this.#socket.uncork();
  }

  readonly #onWritten = (error: Error | null | undefined): void => {
    if (error !== null && error !== undefined) return;
    for (let slot = 0; slot < this.#batch.length; slot += 1) {
      this.#flushQueue.pool.give(this.#batch[slot]!);
    }
    this.#batch.length = 0;
    this.sentBytes += this.#batchBytes;
    this.#batchBytes = 0;
    this.#stallTicks = 0;
    if (this.writer.pendingBytes > 0) this.flush();
    else if (this.#isClosed) this.#socket.end();
    else if (this.onDrain !== undefined) this.onDrain();
    if (this.#isPaused) this.#resumeReading();
  };

  #cutSlowReader(): void {
    const why = `${this.queuedBytes} bytes were left unread: read replies as they come`;
    this.refuse(new KvorumError(ErrorCode.SlowReader, why), CloseReason.SlowReader);
  }

  readonly #onEnd = (): void => {
    this.close(CloseReason.Remote);
  };

  readonly #onError = (cause: Error): void => {
    if (this.#isClosed) return;
    const code = 'code' in cause ? String(cause.code) : cause.message;
    const error = new KvorumError(ErrorCode.ConnectionLost, `${this.remote}: ${code}`, { cause });
    this.#finish(CloseReason.Lost, error);
  };

  readonly #onSocketClose = (): void => {
    this.close(CloseReason.Lost);
    this.onGone?.(this);
  };

  #finish(reason: CloseReason, error: KvorumError | undefined): void {
    this.#isClosed = true;
    this.closeReason = reason;
    this.closeError = error;
    this.writer.abandon();
    this.writer.close();
    this.onClose(this, reason, error);
  }

  #destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#linger?.cancel();
    this.#socket.destroy();
    this.writer.drop();
  }
}
