/** The figures of a run as text. */

import type { Figures } from './round.ts';

/** Adds up the rounds. */
export function showFigures(rounds: readonly Figures[], tookMs: number): string {
  const sum = (pick: (figures: Figures) => number): number =>
    rounds.reduce((total, figures) => total + pick(figures), 0);
  const faults = new Map<string, number>();
  for (const figures of rounds) {
    for (const [name, count] of Object.entries(figures.faults)) {
      faults.set(name, (faults.get(name) ?? 0) + count);
    }
  }
  const byKind = [...faults].sort().map(([name, count]) => `${name} ${count}`);
  const longest = Math.max(0, ...rounds.map(({ longestSilenceMs }) => longestSilenceMs));
  return [
    `${rounds.length} rounds in ${(tookMs / 60_000).toFixed(1)} min`,
    `requests            ${sum(({ operations }) => operations)}`,
    `  answered          ${sum(({ answered }) => answered)}`,
    `  of unknown outcome ${sum(({ unknown }) => unknown)}`,
    `revisions           ${sum(({ revisions }) => revisions)}`,
    `watch events        ${sum(({ watched }) => watched)}`,
    `leases              ${sum(({ leases }) => leases)}`,
    `leaders             ${sum(({ leaders }) => leaders)}`,
    `faults              ${[...faults.values()].reduce((total, one) => total + one, 0)}`,
    `  ${byKind.join(', ')}`,
    `longest silence     ${(longest / 1_000).toFixed(1)} s`,
    `keys undecided      ${sum(({ undecided }) => undecided)}`,
  ].join('\n');
}
