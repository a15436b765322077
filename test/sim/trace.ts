/**
 * What happened: a hash over all of it, and the last lines of each host for people.
 *
 * The hash takes numbers and bytes as they come, so that two runs of a seed that differ anywhere
 * differ here. Lines are only put together when they are asked for.
 */

import { crc32 } from 'node:zlib';

/** Lines kept of each host, unless asked for more. */
export const LINES_MAX = 60;

type Line = { readonly atMs: number; readonly text: () => string };

/** A moment as a double, and as two words. */
const moment = new Float64Array(1);
const halves = new Uint32Array(moment.buffer);

/** One word into a hash: a round of MurmurHash3's finalizer, cheaper by far than a call of zlib. */
function stir(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x85ebca6b);
  return Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
}

/** The trace of a run. */
export class Trace {
  readonly #nowMs: () => number;
  readonly #linesMax: number;
  readonly #lines: Map<string, Line[]> = new Map();
  #hash = 0;

  constructor(nowMs: () => number, linesMax: number) {
    this.#nowMs = nowMs;
    this.#linesMax = linesMax;
  }

  /** The hash so far, eight hexadecimal digits. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  /** Adds an event to the hash. */
  mix(place: number, kind: number, atMs: number): void {
    moment[0] = atMs;
    let hash = this.#hash;
    hash = stir(hash, place);
    hash = stir(hash, kind);
    hash = stir(hash, halves[0]!);
    this.#hash = stir(hash, halves[1]!);
  }

  /** Adds bytes, or text, to the hash. */
  mixBytes(bytes: Buffer | string): void {
    this.#hash = crc32(bytes, this.#hash >>> 0);
  }

  /** Adds a line about a host, which the hash covers. */
  note(name: string, text: string): void {
    this.mixBytes(text);
    this.line(name, () => text);
  }

  /** Adds a line about a host that is put together when it is asked for. */
  line(name: string, text: () => string): void {
    let lines = this.#lines.get(name);
    if (lines === undefined) {
      lines = [];
      this.#lines.set(name, lines);
    }
    lines.push({ atMs: this.#nowMs(), text });
    if (lines.length >= 2 * this.#linesMax) lines.splice(0, lines.length - this.#linesMax);
  }

  /** The last lines of each host, oldest first. */
  tell(): string {
    const told: string[] = [];
    for (const [name, lines] of this.#lines) {
      told.push(`--- ${name}`);
      for (const { atMs, text } of lines.slice(-this.#linesMax)) {
        told.push(`${atMs.toFixed(3).padStart(10)}  ${text()}`);
      }
    }
    return told.join('\n');
  }
}
