/**
 * A first-in first-out queue on a circular array: push and shift take constant time, where
 * Array.shift moves every element of a long array.
 *
 *   slots:  [ . . c d e f . . ]      head points at c, count is 4
 *
 * Invariant: the array's length is a power of two, so that a slot wraps with a mask.
 */

import { assert } from './assert.ts';

/** A first-in first-out queue. */
export class Ring<T> {
  #slots: (T | undefined)[] = new Array<T | undefined>(16).fill(undefined);
  #head = 0;
  #count = 0;

  /** How many elements wait. */
  get count(): number {
    return this.#count;
  }

  /** Adds an element at the end. */
  push(element: T): void {
    if (this.#count === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#count) & (this.#slots.length - 1)] = element;
    this.#count += 1;
  }

  /** The oldest element, or undefined when none waits. */
  peek(): T | undefined {
    return this.#slots[this.#head];
  }

  /** The newest element, or undefined when none waits. */
  peekLast(): T | undefined {
    return this.#slots[(this.#head + this.#count - 1) & (this.#slots.length - 1)];
  }

  /** The element `offset` places behind the oldest. */
  at(offset: number): T | undefined {
    assert(offset >= 0, 'a place in a ring counts from 0', offset);
    if (offset >= this.#count) return undefined;
    return this.#slots[(this.#head + offset) & (this.#slots.length - 1)];
  }

  /** Takes the oldest element out; undefined when none waits. */
  shift(): T | undefined {
    if (this.#count === 0) return undefined;
    const element = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#count -= 1;
    return element;
  }

  /** Drops all elements. */
  clear(): void {
    this.#slots.fill(undefined);
    this.#head = 0;
    this.#count = 0;
  }

  #grow(): void {
    const grown = new Array<T | undefined>(this.#slots.length * 2).fill(undefined);
    for (let i = 0; i < this.#count; i += 1) {
      grown[i] = this.#slots[(this.#head + i) & (this.#slots.length - 1)];
    }
    this.#slots = grown;
    this.#head = 0;
  }
}
