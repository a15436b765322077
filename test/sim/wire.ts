/**
 * Connections between processes, as TCP has them: bytes arrive in order or not at all, late, in
 * other pieces than they were sent in; a path that is cut holds them up until it heals; who is gone
 * resets.
 *
 * Frame-wise, the Raft messages of a peer's connection travel one by one, as datagrams: lost,
 * doubled and out of order, which the core must bear and TCP would hide.
 */

import { Duplex } from 'node:stream';
import { ConnectionRole, FRAME_HEADER_BYTES, FrameType } from '../../include/rpc.ts';
import { decodeHello } from '../../src/rpc/connection-codec.ts';
import { FrameReader } from '../../src/rpc/frame-reader.ts';
import { EventKind, type Host, type Process } from './host.ts';
import type { World } from './world.ts';

type Callback = (error?: Error | null) => void;

/** What a wire asks of the network that it is part of. */
export type Weather = {
  readonly world: World;
  /** Milliseconds until something sent now arrives. */
  readonly delayMs: (from: Host, to: Host) => number;
  readonly isCut: (from: Host, to: Host) => boolean;
  /** Draws an integer in [0, bound). */
  readonly below: (bound: number) => number;
  readonly isFrameWise: boolean;
  /** How many of a thousand messages are lost, or doubled, when they travel one by one. */
  readonly lostPermille: number;
  readonly doubledPermille: number;
  /** Most bytes on the way before a writer waits. */
  readonly sendBufferBytes: number;
};

/** The types of frames that are Raft messages. */
const RAFT_TYPE_MIN = 0x20;
const RAFT_TYPE_MAX = 0x2b;

/** Longest until what was held up by a cut is sent again, in milliseconds. */
const RESEND_MS = 200;

/** What arrives: bytes, or undefined for the end. */
type Parcel = Buffer | undefined;

/** One end of a wire, as its process has it. */
export class WireEnd extends Duplex {
  /** The way to the other end. */
  way: Way | undefined = undefined;

  constructor() {
    super({ allowHalfOpen: false, emitClose: true });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    if (this.way === undefined) callback(new Error('not connected'));
    else this.way.write(chunk, callback);
  }

  override _read(): void {
    this.way?.back?.unblock();
  }

  override _final(callback: Callback): void {
    this.way?.sendEnd();
    callback();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.way?.sendEnd();
    callback(error);
  }

  /** The kernel says that the connection is no more. */
  breakOff(code: string): void {
    if (!this.destroyed) this.destroy(Object.assign(new Error(code), { code }));
  }
}

/** One direction of a wire. */
export class Way {
  /** The opposite direction. */
  back: Way | undefined = undefined;
  readonly from: Host;
  readonly to: Host;
  readonly #weather: Weather;
  readonly #sink: WireEnd;
  #sender: Process | undefined;
  /** Undefined until the connection is accepted. */
  #receiver: Process | undefined;
  /** What a cut, a reader that is full, or a connection not yet accepted holds up; in order. */
  #held: Parcel[] = [];
  #lastArrivalMs = 0;
  #onWayBytes = 0;
  #isFull = false;
  #isEnded = false;
  #waitingWriter: Callback | undefined;
  /** Cuts what is written into frames, once the wire is known to be a peer's. */
  #frames: FrameReader | undefined;
  #hasSeenHello = false;

  constructor(weather: Weather, from: Host, to: Host, sink: WireEnd) {
    this.#weather = weather;
    this.from = from;
    this.to = to;
    this.#sink = sink;
  }

  /** Both ends are there from now on. */
  open(sender: Process, receiver: Process): void {
    this.#sender = sender;
    this.#receiver = receiver;
    const held = this.#held;
    this.#held = [];
    for (const parcel of held) this.#send(parcel);
  }

  write(chunk: Buffer, callback: Callback): void {
    const { world, sendBufferBytes } = this.#weather;
    const copy = Buffer.from(chunk);
    world.trace.mixBytes(copy);
    this.#onWayBytes += copy.length;
    if (this.#isSentFrameWise(copy)) this.#frames?.read(copy);
    else this.#send(copy);
    // What travels by itself waits for nobody: the rest of a frame may still have to be written.
    if (this.#frames !== undefined || this.#onWayBytes <= sendBufferBytes) callback();
    else this.#waitingWriter = callback;
  }

  /** Nothing more will be sent. */
  sendEnd(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#send(undefined);
  }

  /** The reader has room again. */
  unblock(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#weather.world.after(this.#receiver, 0, EventKind.Arrival, () => this.#release());
  }

  /** The path is open again: what was held up is sent anew. */
  heal(): void {
    if (this.#held.length === 0 || this.#receiver === undefined) return;
    const { world, below } = this.#weather;
    world.after(this.#receiver, below(RESEND_MS), EventKind.Arrival, () => this.#release());
  }

  /** The receiver's host runs again: what it did not take is sent anew, and nobody is there. */
  retry(): void {
    if (this.#receiver?.isDead === true && this.#onWayBytes > 0) this.back?.reset();
  }

  /** Tells the receiver, if it lives, that there is nobody at the other end. */
  reset(): void {
    const { world, delayMs, isCut } = this.#weather;
    if (this.#receiver === undefined || isCut(this.from, this.to)) return;
    world.after(this.#receiver, delayMs(this.from, this.to), EventKind.Arrival, () =>
      this.#sink.breakOff('ECONNRESET'),
    );
  }

  #isSentFrameWise(chunk: Buffer): boolean {
    if (!this.#weather.isFrameWise) return false;
    if (!this.#hasSeenHello) {
      this.#hasSeenHello = true;
      if (chunk[4] !== FrameType.Hello) return false;
      const hello = decodeHello(chunk, FRAME_HEADER_BYTES, 4 + chunk.readUInt32BE(0));
      if (hello.role !== ConnectionRole.Peer) return false;
      this.#frames = new FrameReader(0xffff_ffff, (type, _flags, _id, buffer, start, end) =>
        this.#sendFrame(type, Buffer.from(buffer.subarray(start - FRAME_HEADER_BYTES, end))),
      );
    }
    return this.#frames !== undefined;
  }

  #sendFrame(type: number, frame: Buffer): void {
    if (type < RAFT_TYPE_MIN || type > RAFT_TYPE_MAX) return this.#send(frame);
    const { world, below, lostPermille, doubledPermille, delayMs } = this.#weather;
    if (below(1_000) < lostPermille) {
      world.tally.count('message lost');
      return this.#taken(frame.length);
    }
    const travel = (delay: number): void => {
      world.after(this.#receiver, delay, EventKind.Arrival, () => this.#arriveAlone(frame));
    };
    travel(delayMs(this.from, this.to));
    if (below(1_000) >= doubledPermille) return;
    world.tally.count('message doubled');
    this.#onWayBytes += frame.length;
    travel(3 * delayMs(this.from, this.to));
  }

  /** In order: it arrives not before what was sent earlier. */
  #send(parcel: Parcel): void {
    if (this.#receiver === undefined) {
      this.#held.push(parcel);
      return;
    }
    if (this.#receiver.isDead) {
      // Nobody is there any more; a kernel that runs says so.
      if (this.to.isOn && !this.#weather.isCut(this.from, this.to)) this.back?.reset();
      return;
    }
    const { world, delayMs } = this.#weather;
    const atMs = Math.max(this.#lastArrivalMs, world.nowMs + delayMs(this.from, this.to));
    this.#lastArrivalMs = atMs;
    const delay = atMs - world.nowMs;
    world.after(this.#receiver, delay, EventKind.Arrival, () => this.#arrive(parcel));
  }

  /** A message of its own: lost at a cut, and never ahead of what opens the connection. */
  #arriveAlone(frame: Buffer): void {
    this.#taken(frame.length);
    if (this.#weather.isCut(this.from, this.to) || this.#sink.destroyed) return;
    if (this.#held.length === 0 && !this.#isFull) this.#sink.push(frame);
  }

  #arrive(parcel: Parcel): void {
    const isHeld = this.#held.length > 0 || this.#isFull;
    if (isHeld || this.#weather.isCut(this.from, this.to)) this.#held.push(parcel);
    else this.#handOver(parcel);
  }

  #handOver(parcel: Parcel): void {
    const sink = this.#sink;
    if (parcel !== undefined) this.#taken(parcel.length);
    if (sink.destroyed) return;
    if (parcel === undefined) {
      sink.push(null);
      return;
    }
    const { below } = this.#weather;
    const cut = below(4) === 0 ? below(parcel.length) : 0;
    if (cut > 0) sink.push(parcel.subarray(0, cut));
    if (!sink.destroyed && !sink.push(parcel.subarray(cut))) this.#isFull = true;
  }

  /** Hands over what was held up, as far as it goes. */
  #release(): void {
    while (this.#held.length > 0) {
      if (this.#isFull || this.#weather.isCut(this.from, this.to)) return;
      this.#handOver(this.#held.shift());
    }
  }

  /** So many bytes are on the way no more. */
  #taken(sizeBytes: number): void {
    this.#onWayBytes -= sizeBytes;
    const callback = this.#waitingWriter;
    if (callback === undefined || this.#onWayBytes > this.#weather.sendBufferBytes) return;
    this.#waitingWriter = undefined;
    this.#weather.world.after(this.#sender, 0, EventKind.Arrival, () => callback());
  }
}
