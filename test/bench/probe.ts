/**
 * A client that asks one node again and again, does not wait for answers, and connects anew when
 * its connection is gone: it finds out when a node starts to serve, to the grain of its asking.
 */

import { connect, type Socket } from 'node:net';
import type { Operation, Wire } from './wire.ts';
import { createWire, type SystemName } from './wires.ts';

/** Most requests unanswered on a connection; further ones are not sent. */
const INFLIGHT_MAX = 4_096;

/** Told of a success: when its request was sent. */
export type OnSuccess = (sentMs: number) => void;

/** Asks one node. */
export class Probe {
  readonly #system: SystemName;
  readonly #operation: Operation;
  readonly #port: number;
  readonly #value: Buffer;
  readonly #onSuccess: OnSuccess;
  #socket: Socket | undefined;
  #wire: Wire | undefined;
  #sentMs = new Float64Array(INFLIGHT_MAX).fill(-1);
  #slot = 0;
  #isClosed = false;

  /** @param valueBytes of what is put, or the least a get must bring */
  constructor(
    system: SystemName,
    operation: Operation,
    port: number,
    valueBytes: number,
    onSuccess: OnSuccess,
  ) {
    this.#system = system;
    this.#operation = operation;
    this.#port = port;
    this.#value = Buffer.alloc(valueBytes, 1);
    this.#onSuccess = onSuccess;
  }

  /** Asks about one key, if there is a connection; starts to connect if there is none. */
  ask(keyNumber: number): void {
    if (this.#socket === undefined) this.#connect();
    if (this.#wire === undefined || this.#sentMs[this.#slot]! >= 0) return;
    const bytes = Buffer.allocUnsafe(this.#wire.requestBytesMax);
    const end = this.#wire.request(bytes, 0, this.#slot, keyNumber, 0);
    this.#sentMs[this.#slot] = performance.now();
    this.#slot = (this.#slot + 1) % INFLIGHT_MAX;
    this.#socket?.write(bytes.subarray(0, end));
  }

  /** Asks no more. */
  close(): void {
    this.#isClosed = true;
    this.#socket?.destroy();
  }

  #connect(): void {
    if (this.#isClosed) return;
    const socket = connect({ host: '127.0.0.1', port: this.#port, noDelay: true });
    const wire = createWire(this.#system, this.#operation, this.#value, `127.0.0.1:${this.#port}`);
    let rest: Buffer = Buffer.alloc(0);
    socket.on('connect', () => {
      socket.write(wire.opening);
      this.#sentMs.fill(-1);
      this.#wire = wire;
    });
    socket.on('data', (chunk) => {
      const bytes = Buffer.concat([rest, chunk]);
      try {
        rest = bytes.subarray(wire.read(bytes, (slot, isOk) => this.#answered(slot, isOk)));
      } catch {
        socket.destroy();
        return;
      }
      const owed = wire.takeOwed();
      if (owed !== undefined) socket.write(owed);
    });
    // The node is down, or died: the next ask connects anew.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#socket = undefined;
      this.#wire = undefined;
    });
    this.#socket = socket;
  }

  #answered(slot: number, isOk: boolean): void {
    const sentMs = this.#sentMs[slot]!;
    this.#sentMs[slot] = -1;
    if (isOk && !this.#isClosed) this.#onSuccess(sentMs);
  }
}
