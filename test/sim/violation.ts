/** What a run fails with when the cluster did wrong. */

/** A property of the cluster does not hold. */
export class Violation extends Error {
  override readonly name = 'Violation';
  /** Which one: the same text for all that break it. */
  readonly property: string;

  constructor(property: string, detail: string) {
    super(`${property}: ${detail}`);
    this.property = property;
  }
}

/** Fails unless a property holds. */
export function must(isHeld: boolean, property: string, detail: () => string): asserts isHeld {
  if (!isHeld) throw new Violation(property, detail());
}
