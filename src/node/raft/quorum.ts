/**
 * Majorities. Commits, elections, check-quorum and reads all ask one question: which value have
 * enough members reached?
 *
 * A joint configuration needs a majority of both its lists (thesis 4.3). An empty list agrees to
 * everything, so that a configuration that is not joint is no special case.
 */

/** What the votes counted so far mean. */
export const Verdict = { Pending: 0, Won: 1, Lost: 2 } as const;
/** One of the values of Verdict. */
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** How many of `count` members are a majority. */
export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}

/**
 * The greatest value that a majority has reached.
 *
 * @param values one a member, given away: sorted in place; a few, so insertion beats a general sort
 * @returns Infinity for no members
 */
export function majorityValue(values: number[]): number {
  const count = values.length;
  if (count === 0) return Number.POSITIVE_INFINITY;
  for (let i = 1; i < count; i += 1) {
    const value = values[i]!;
    let slot = i;
    while (slot > 0 && values[slot - 1]! > value) {
      values[slot] = values[slot - 1]!;
      slot -= 1;
    }
    values[slot] = value;
  }
  return values[count - majorityOf(count)]!;
}

/**
 * The greatest value that a majority of each list has reached.
 *
 * @param voters the members that count
 * @param outgoing the voters of the configuration being left; empty outside a change
 * @param measure the value that a member has reached
 */
export function agreedValue<T>(
  voters: readonly T[],
  outgoing: readonly T[],
  measure: (member: T) => number,
): number {
  const incoming = majorityValue(voters.map(measure));
  if (outgoing.length === 0) return incoming;
  return Math.min(incoming, majorityValue(outgoing.map(measure)));
}

/**
 * What the votes say.
 *
 * @param voters the ids that count; outgoing likewise
 * @param votes answers so far, by id; those of others do not count
 */
export function verdictOf(
  voters: readonly number[],
  outgoing: readonly number[],
  votes: ReadonlyMap<number, boolean>,
): Verdict {
  const incoming = verdictOfList(voters, votes);
  const leaving = verdictOfList(outgoing, votes);
  if (incoming === Verdict.Lost || leaving === Verdict.Lost) return Verdict.Lost;
  if (incoming === Verdict.Won && leaving === Verdict.Won) return Verdict.Won;
  return Verdict.Pending;
}

function verdictOfList(ids: readonly number[], votes: ReadonlyMap<number, boolean>): Verdict {
  if (ids.length === 0) return Verdict.Won;
  let granted = 0;
  let missing = 0;
  for (const id of ids) {
    const vote = votes.get(id);
    if (vote === undefined) missing += 1;
    else if (vote) granted += 1;
  }
  const needed = majorityOf(ids.length);
  if (granted >= needed) return Verdict.Won;
  return granted + missing < needed ? Verdict.Lost : Verdict.Pending;
}
