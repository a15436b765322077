/**
 * What a connection sends: frames into the output, as far as the peer's windows and the socket take
 * it. Streams whose bytes wait are kept here and go on in turn.
 */

import type { Duplex } from 'node:stream';
import type { FlushQueue } from '../../rpc/flush-queue.ts';
import {
  ConnectionError,
  FRAME_BYTES_MAX,
  H2Error,
  H2Flag,
  H2Frame,
  SOCKET_QUEUED_BYTES_MAX,
  WINDOW_BYTES_DEFAULT,
  WINDOW_BYTES_MAX,
} from './frames.ts';
import type { Nuisance } from './nuisance.ts';
import { Output } from './output.ts';
import type { Http2Stream } from './stream.ts';

/** Largest frame sent, however large the peer takes them: others have their turn between two. */
const SENT_FRAME_BYTES_MAX = 4 * FRAME_BYTES_MAX;

/** The sending half of a connection. */
export class Sender {
  /** Bytes that a new stream may send. */
  streamWindow = WINDOW_BYTES_DEFAULT;

  readonly #socket: Duplex;
  readonly #flushQueue: Pick<FlushQueue, 'add'>;
  readonly #nuisance: Nuisance;
  readonly #output: Output;
  /** Streams with bytes that wait, in the order in which they go on. */
  readonly #blocked: Set<Http2Stream> = new Set();
  #window = WINDOW_BYTES_DEFAULT;
  #frameBytesMax = FRAME_BYTES_MAX;
  #isScheduled = false;
  #isSocketFull = false;
  #isClosed = false;

  constructor(socket: Duplex, flushQueue: Pick<FlushQueue, 'add'>, nuisance: Nuisance) {
    this.#socket = socket;
    this.#flushQueue = flushQueue;
    this.#nuisance = nuisance;
    this.#output = new Output(socket);
    socket.on('drain', () => this.#onDrain());
  }

  /** Whether streams wait for the connection's window. */
  get isBlocked(): boolean {
    return this.#blocked.size > 0;
  }

  /** Writes what has gathered: called by the queue at the end of a turn. */
  flush(): void {
    this.#isScheduled = false;
    if (this.#isClosed) return;
    this.#output.flush();
    if (this.#isSocketFull || this.#socket.writableLength <= SOCKET_QUEUED_BYTES_MAX) return;
    this.#isSocketFull = true;
    this.#socket.pause(); // who does not read is not read from
  }

  /** Writes what has gathered, and nothing more. */
  close(): void {
    this.flush();
    this.#isClosed = true;
    this.#blocked.clear();
  }

  headers(stream: Http2Stream, block: Buffer, isEnd: boolean): void {
    const flags = H2Flag.EndHeaders | (isEnd ? H2Flag.EndStream : 0);
    this.#output.frame(H2Frame.Headers, flags, stream.id, block.length);
    this.#output.bytes(block);
    this.#nuisance.dataSent();
    this.#schedule();
  }

  /** Sends what may be sent; the stream is resumed when more may. Returns how many bytes left. */
  data(stream: Http2Stream, bytes: Buffer): number {
    const room = this.#isSocketFull ? 0 : Math.min(this.#window, stream.sendWindow);
    const count = Math.max(0, Math.min(bytes.length, room));
    for (let at = 0; at < count; at += this.#frameBytesMax) {
      const end = Math.min(count, at + this.#frameBytesMax);
      const part = end - at === bytes.length ? bytes : bytes.subarray(at, end);
      this.#output.frame(H2Frame.Data, 0, stream.id, part.length);
      this.#output.bytes(part);
    }
    this.#window -= count;
    stream.sendWindow -= count;
    if (count > 0) this.#nuisance.dataSent();
    if (count < bytes.length) this.#blocked.add(stream);
    if (this.#output.pendingBytes > SOCKET_QUEUED_BYTES_MAX) this.flush();
    else this.#schedule();
    return count;
  }

  /** Ends a stream without a header block. */
  end(stream: Http2Stream): void {
    this.#output.frame(H2Frame.Data, H2Flag.EndStream, stream.id, 0);
    this.#schedule();
  }

  /** Forgets a stream. */
  forget(stream: Http2Stream): void {
    this.#blocked.delete(stream);
  }

  reset(streamId: number, code: number): void {
    this.#output.frame(H2Frame.RstStream, 0, streamId, 4);
    this.#output.u32(code);
    this.#schedule();
  }

  settings(settings: readonly (readonly [name: number, value: number])[]): void {
    this.#output.frame(H2Frame.Settings, 0, 0, settings.length * 6);
    for (const [name, value] of settings) {
      this.#output.u8(0);
      this.#output.u8(name);
      this.#output.u32(value);
    }
    this.#schedule();
  }

  settingsAck(): void {
    this.#output.frame(H2Frame.Settings, H2Flag.Ack, 0, 0);
    this.#schedule();
  }

  pingAck(payload: Buffer): void {
    this.#output.frame(H2Frame.Ping, H2Flag.Ack, 0, payload.length);
    this.#output.bytes(payload);
    this.#schedule();
  }

  windowUpdate(streamId: number, bytes: number): void {
    this.#output.frame(H2Frame.WindowUpdate, 0, streamId, 4);
    this.#output.u32(bytes);
    this.#schedule();
  }

  goAway(lastStreamId: number, code: H2Error, text: string): void {
    const bytes = Buffer.from(text);
    this.#output.frame(H2Frame.GoAway, 0, 0, 8 + bytes.length);
    this.#output.u32(lastStreamId);
    this.#output.u32(code);
    this.#output.bytes(bytes);
    this.#schedule();
  }

  /** The peer takes frames of that size. */
  setFrameBytesMax(bytes: number): void {
    this.#frameBytesMax = Math.min(bytes, SENT_FRAME_BYTES_MAX);
  }

  /** The peer takes so many bytes more. @throws ConnectionError */
  widen(bytes: number): void {
    this.#window += bytes;
    if (this.#window > WINDOW_BYTES_MAX) {
      throw new ConnectionError(H2Error.FlowControl, 'the window is too large');
    }
    this.resumeAll();
  }

  /** Lets streams go on, each in its turn, as long as window and socket take it. */
  resumeAll(): void {
    for (const stream of [...this.#blocked]) {
      if (this.#window <= 0 || this.#isSocketFull) return;
      this.#blocked.delete(stream);
      stream.resume();
    }
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    this.#flushQueue.add(this);
  }

  #onDrain(): void {
    if (!this.#isSocketFull || this.#isClosed) return;
    this.#isSocketFull = false;
    this.#socket.resume();
    this.resumeAll();
  }
}
