/**
 * A set of keys made of intervals, kept as few that neither overlap nor touch:
 *
 *   from  [ b     m     x ]
 *   to    [ d     q     z ]      b <= key < d, ...
 *
 * Keys are latin-1 strings, whose order is that of the bytes. Adding moves what lies behind, so it
 * is for thousands, not for millions.
 */

/** Keys between bounds. */
export class KeyIntervals {
  readonly #from: string[] = [];
  readonly #to: string[] = [];

  /** Adds from <= key < to; nothing when `to` is not behind `from`. */
  add(from: string, to: string): void {
    if (to <= from) return;
    // Those that overlap or touch it become one with it.
    const first = slotAtOrBehind(this.#to, from);
    const end = slotBehind(this.#from, to);
    const isAlone = first === end;
    const least = isAlone || from < this.#from[first]! ? from : this.#from[first]!;
    const most = isAlone || to > this.#to[end - 1]! ? to : this.#to[end - 1]!;
    this.#from.splice(first, end - first, least);
    this.#to.splice(first, end - first, most);
  }

  /** Adds all of another set. */
  addAll(others: KeyIntervals): void {
    for (let slot = 0; slot < others.#from.length; slot += 1) {
      this.add(others.#from[slot]!, others.#to[slot]!);
    }
  }

  /** Whether a key is in it. */
  has(key: string): boolean {
    const slot = slotBehind(this.#from, key) - 1;
    return slot >= 0 && key < this.#to[slot]!;
  }
}

/** The first slot whose bound is not below `key`. */
function slotAtOrBehind(bounds: readonly string[], key: string): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bounds[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first slot whose bound is above `key`. */
function slotBehind(bounds: readonly string[], key: string): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bounds[middle]! <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}
