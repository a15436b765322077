/**
 * Which members hold something else than they should: those whose hash differs from that of a
 * majority of the voters. Where no hash can have a majority any more, nobody knows who is right:
 * then all that were compared are odd.
 *
 * Hashes are compared among members that have compacted alike; others count as not heard from.
 */

import type { HashResult } from '../../include/kvstore.ts';
import type { Configuration, NodeId } from '../../include/node.ts';

/**
 * Judges what members have reported, maybe not all of them yet.
 * @param reports of hashes of one revision
 */
export function oddMembers(
  { voters }: Pick<Configuration, 'voters'>,
  reports: ReadonlyMap<NodeId, HashResult>,
): readonly NodeId[] {
  const majority = Math.floor(voters.length / 2) + 1;
  const compacted = new Set([...reports.values()].map(({ compactRevision }) => compactRevision));
  return [...compacted].flatMap((compactRevision) => {
    const alike = [...reports].filter(([, report]) => report.compactRevision === compactRevision);
    const votes = new Map<number, number>();
    for (const [id, { hash }] of alike) {
      votes.set(hash, (votes.get(hash) ?? 0) + (voters.includes(id) ? 1 : 0));
    }
    if (votes.size < 2) return [];
    const [leading, most] = [...votes].reduce((best, each) => (each[1] > best[1] ? each : best));
    if (most >= majority) return alike.filter(([, { hash }]) => hash !== leading).map(([id]) => id);
    const missing = voters.filter((id) => !reports.has(id)).length;
    return most + missing < majority ? alike.map(([id]) => id) : [];
  });
}
