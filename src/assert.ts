/**
 * Assertions that stay on in production: a broken invariant ends the node before it can spread.
 * Never for outside input, which is refused with a typed error where it enters.
 */

/** A bug in kvorum itself: an invariant did not hold. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/**
 * Ends the caller when `ok` is false.
 *
 * @param ok what must hold
 * @param sentence what it means, constant: values go into `a` and `b`, so that a call that passes
 *   costs nothing
 * @throws AssertionError
 */
export function assert(ok: boolean, sentence: string, a?: unknown, b?: unknown): asserts ok {
  if (!ok) fail(sentence, a, b);
}

function fail(sentence: string, a: unknown, b: unknown): never {
  const values = [a, b].filter((value) => value !== undefined).map(String);
  const detail = values.length === 0 ? '' : ` (${values.join(', ')})`;
  throw new AssertionError(`assertion failed: ${sentence}${detail}`);
}
