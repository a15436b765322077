/**
 * Ranges of keys, searched for those that hold a key: a treap ordered by start, each node with the
 * largest end below it.
 *
 * Keys are latin-1 strings, whose order is the bytes' order. An end of undefined lies behind every
 * key. Priorities come from a seeded generator, so that equal histories make equal trees; whatever
 * the ranges are, depth is logarithmic but with negligible probability (Seidel and Aragon,
 * "Randomized search trees", 1996).
 */

import { createRandom } from '../../random.ts';

type Node<T> = {
  readonly start: string;
  readonly end: string | undefined;
  readonly priority: number;
  value: T;
  /** The largest end of the node and all below it. */
  endMax: string | undefined;
  left: Node<T> | undefined;
  right: Node<T> | undefined;
};

/** One value a range start <= key < end. */
export class IntervalTree<T> {
  readonly #random = createRandom(1);
  #root: Node<T> | undefined;

  /** The value of exactly this range. */
  get(start: string, end: string | undefined): T | undefined {
    let node = this.#root;
    while (node !== undefined) {
      const order = compareRanges(start, end, node);
      if (order === 0) return node.value;
      node = order < 0 ? node.left : node.right;
    }
    return undefined;
  }

  /** Sets the value of a range, known or not. */
  set(start: string, end: string | undefined, value: T): void {
    const priority = this.#random.below(0x1_0000_0000);
    const [left, right] = [undefined, undefined];
    this.#root = insert(this.#root, { start, end, priority, value, endMax: end, left, right });
  }

  /** Removes a range, known or not. */
  delete(start: string, end: string | undefined): void {
    this.#root = remove(this.#root, start, end);
  }

  /** Adds the values of all ranges that hold a key to `found`. */
  search(key: string, found: T[]): void {
    search(this.#root, key, found);
  }

  /** One of the values whose range has a key in common with start <= key < end. */
  overlapping(start: string, end: string | undefined): T | undefined {
    return overlapping(this.#root, start, end);
  }

  /** One of the values; undefined when there is none. */
  any(): T | undefined {
    return this.#root?.value;
  }
}

function compareRanges(start: string, end: string | undefined, node: Node<unknown>): number {
  if (start !== node.start) return start < node.start ? -1 : 1;
  if (end === node.end) return 0;
  if (end === undefined) return 1;
  return node.end === undefined || end < node.end ? -1 : 1;
}

function isBelow(key: string, end: string | undefined): boolean {
  return end === undefined || key < end;
}

function search<T>(node: Node<T> | undefined, key: string, found: T[]): void {
  if (node === undefined || !isBelow(key, node.endMax)) return;
  search(node.left, key, found);
  if (key < node.start) return;
  if (isBelow(key, node.end)) found.push(node.value);
  search(node.right, key, found);
}

function overlapping<T>(
  node: Node<T> | undefined,
  start: string,
  end: string | undefined,
): T | undefined {
  if (node === undefined || !isBelow(start, node.endMax)) return undefined;
  const left = overlapping(node.left, start, end);
  if (left !== undefined) return left;
  if (!isBelow(node.start, end)) return undefined;
  return isBelow(start, node.end) ? node.value : overlapping(node.right, start, end);
}

function insert<T>(node: Node<T> | undefined, added: Node<T>): Node<T> {
  if (node === undefined) return added;
  const order = compareRanges(added.start, added.end, node);
  if (order === 0) {
    node.value = added.value;
    return node;
  }
  if (order < 0) {
    const child = insert(node.left, added);
    node.left = child;
    if (child.priority <= node.priority) return measure(node);
    node.left = child.right;
    child.right = measure(node);
    return measure(child);
  }
  const child = insert(node.right, added);
  node.right = child;
  if (child.priority <= node.priority) return measure(node);
  node.right = child.left;
  child.left = measure(node);
  return measure(child);
}

function remove<T>(
  node: Node<T> | undefined,
  start: string,
  end: string | undefined,
): Node<T> | undefined {
  if (node === undefined) return undefined;
  const order = compareRanges(start, end, node);
  if (order === 0) return join(node.left, node.right);
  if (order < 0) node.left = remove(node.left, start, end);
  else node.right = remove(node.right, start, end);
  return measure(node);
}

/** Makes one tree of two, all of `left` before all of `right`. */
function join<T>(left: Node<T> | undefined, right: Node<T> | undefined): Node<T> | undefined {
  if (left === undefined) return right;
  if (right === undefined) return left;
  if (left.priority > right.priority) {
    left.right = join(left.right, right);
    return measure(left);
  }
  right.left = join(left, right.left);
  return measure(right);
}

function measure<T>(node: Node<T>): Node<T> {
  node.endMax = largerEnd(node.end, node.left);
  node.endMax = largerEnd(node.endMax, node.right);
  return node;
}

function largerEnd(end: string | undefined, node: Node<unknown> | undefined): string | undefined {
  if (end === undefined || node === undefined) return end;
  return isBelow(end, node.endMax) ? node.endMax : end;
}
