/** The network between hosts: who reaches whom, how fast, and every connection there is. */

import type { Duplex } from 'node:stream';
import type { Random } from '../../src/random.ts';
import type { OpenStream } from '../../src/rpc/dial.ts';
import { EventKind, type Host, type Process } from './host.ts';
import { Way, type Weather, WireEnd } from './wire.ts';
import type { World } from './world.ts';

/** How a network behaves when nothing is wrong with it. */
export type Climate = Pick<
  Weather,
  'isFrameWise' | 'lostPermille' | 'doubledPermille' | 'sendBufferBytes'
> & {
  /** Milliseconds that everything takes, and by how much that varies. */
  readonly latencyMs: number;
  readonly jitterMs: number;
};

/** A place that can be connected to. */
export type Listener = {
  readonly host: Host;
  /** The process that listens now; undefined when none does. */
  readonly process: () => Process | undefined;
  readonly accept: (stream: Duplex, remote: string) => void;
};

type Wire = {
  readonly there: Way;
  readonly back: Way;
  readonly near: WireEnd;
  readonly far: WireEnd;
  readonly dialler: Process;
  acceptor: Process | undefined;
};

/** Milliseconds until an unanswered attempt to connect is repeated by the kernel. */
const CONNECT_AGAIN_MS = 1_000;

/** How many times slower a slow link is. */
const SLOW_FACTOR = 30;

/** The network. */
export class SimNetwork {
  readonly #world: World;
  readonly #climate: Climate;
  readonly #weather: Weather;
  readonly #random: Random;
  readonly #listeners: Map<number, Listener> = new Map();
  readonly #cuts: Set<string> = new Set();
  readonly #slow: Set<string> = new Set();
  #wires: Wire[] = [];

  constructor(world: World, climate: Climate, random: Random) {
    this.#world = world;
    this.#climate = climate;
    this.#random = random;
    this.#weather = {
      world,
      delayMs: (from, to) => this.#delayMs(from, to),
      isCut: (from, to) => this.#cuts.has(pathOf(from, to)),
      below: random.below,
      isFrameWise: climate.isFrameWise,
      lostPermille: climate.lostPermille,
      doubledPermille: climate.doubledPermille,
      sendBufferBytes: climate.sendBufferBytes,
    };
  }

  /** Says who answers at a port. */
  listen(port: number, listener: Listener): void {
    this.#listeners.set(port, listener);
  }

  /** How a process connects. */
  wayOf(process: Process): OpenStream {
    return (_address, port) => this.#connect(process, port);
  }

  /** Nothing gets from one host to another, until healed. */
  cut(from: Host, to: Host): void {
    this.#cuts.add(pathOf(from, to));
  }

  /** Everything between two hosts takes long, one way. */
  slow(from: Host, to: Host): void {
    this.#slow.add(pathOf(from, to));
  }

  /** All paths are as they should be. */
  heal(): void {
    this.#cuts.clear();
    this.#slow.clear();
    for (const { there, back } of this.#wires) {
      there.heal();
      back.heal();
    }
  }

  /** The connections of a process break while it lives. */
  breakWires(process: Process): void {
    for (const { there, back, dialler, acceptor } of this.#wires) {
      if (dialler !== process && acceptor !== process) continue;
      there.reset();
      back.reset();
    }
  }

  /** A host runs again after its power was off. */
  greet(host: Host): void {
    for (const { there, back } of this.#wires) {
      for (const way of [there, back]) if (way.to === host) way.retry();
    }
  }

  /**
   * A process is gone.
   *
   * @param isTold whether its kernel lives on and says so to the others
   */
  forget(process: Process, isTold: boolean): void {
    const kept: Wire[] = [];
    for (const wire of this.#wires) {
      const isIts = wire.dialler === process || wire.acceptor === process;
      if (isIts && isTold) (wire.dialler === process ? wire.there : wire.back).reset();
      const isOpen = !wire.near.destroyed || !wire.far.destroyed;
      if (isOpen && !(wire.dialler.isDead && wire.acceptor?.isDead === true)) kept.push(wire);
    }
    this.#wires = kept;
  }

  #connect(dialler: Process, port: number): Duplex {
    const near = new WireEnd();
    const listener = this.#listeners.get(port);
    if (listener === undefined) throw new Error(`no host has port ${port}`);
    const far = new WireEnd();
    const there = new Way(this.#weather, dialler.host, listener.host, far);
    const back = new Way(this.#weather, listener.host, dialler.host, near);
    there.back = back;
    back.back = there;
    near.way = there;
    far.way = back;
    const wire: Wire = { there, back, near, far, dialler, acceptor: undefined };
    this.#wires.push(wire);
    this.#knock(wire, listener);
    return near;
  }

  /** Asks for the connection, again and again while nobody answers. */
  #knock(wire: Wire, listener: Listener): void {
    const { near, dialler } = wire;
    const there = this.#delayMs(dialler.host, listener.host);
    this.#world.after(undefined, there, EventKind.Arrival, () => {
      if (dialler.isDead || near.destroyed) return;
      const isLost =
        !listener.host.isOn ||
        this.#cuts.has(pathOf(dialler.host, listener.host)) ||
        this.#cuts.has(pathOf(listener.host, dialler.host));
      const acceptor = listener.process();
      if (isLost) {
        this.#world.after(dialler, CONNECT_AGAIN_MS, EventKind.Arrival, () => {
          if (!near.destroyed) this.#knock(wire, listener);
        });
      } else if (acceptor === undefined || acceptor.isDead) {
        const back = this.#delayMs(listener.host, dialler.host);
        this.#world.after(dialler, back, EventKind.Arrival, () => near.breakOff('ECONNREFUSED'));
      } else {
        this.#accept(wire, acceptor, listener);
      }
    });
  }

  #accept(wire: Wire, acceptor: Process, listener: Listener): void {
    const { there, back, far, dialler } = wire;
    wire.acceptor = acceptor;
    this.#world.after(acceptor, 0, EventKind.Arrival, () => {
      listener.accept(far, `${dialler.host.name}:${this.#wires.length}`);
    });
    there.open(dialler, acceptor);
    back.open(acceptor, dialler);
  }

  #delayMs(from: Host, to: Host): number {
    const { latencyMs, jitterMs } = this.#climate;
    const delayMs = latencyMs + (this.#random.below(1_000) / 1_000) * jitterMs;
    return this.#slow.has(pathOf(from, to)) ? delayMs * SLOW_FACTOR : delayMs;
  }
}

function pathOf(from: Host, to: Host): string {
  return `${from.number}>${to.number}`;
}
