/**
 * How often what happened in a run, by name. A fault that never strikes proves nothing, so the
 * suite asks that each of them does.
 */

/** Counts by name. */
export type Counts = Readonly<Record<string, number>>;

/** Counts what happens. */
export class Tally {
  readonly #counts: Map<string, number> = new Map();

  count(what: string): void {
    this.add(what, 1);
  }

  add(what: string, count: number): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + count);
  }

  /** All of them, in the order of their names. */
  get counts(): Counts {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** The sum of several. */
export function sumOf(all: readonly Counts[]): Counts {
  const sum = new Tally();
  for (const counts of all) {
    for (const [what, count] of Object.entries(counts)) sum.add(what, count);
  }
  return sum.counts;
}
