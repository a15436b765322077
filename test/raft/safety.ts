/**
 * What must hold of a cluster, watched from outside (thesis figure 3.2):
 *
 * - Election Safety: at most one leader a term.
 * - Log Matching: an index and a term name one entry, and one predecessor.
 * - Leader Completeness: a new leader has every entry committed before.
 * - State Machine Safety: no two stores apply different entries at an index.
 * - Durability: what is committed is on the disks of a majority, of both in a joint configuration.
 * - Linearizable reads: a read index is not below what was committed when the read was asked.
 */

import type { Configuration, Entry, LogIndex, NodeId, Term } from '../../include/node.ts';
import { Role } from '../../include/node.ts';
import type { Cluster, Member } from './cluster.ts';
import { effectOf } from './cluster.ts';

/** What was seen so far. */
export type Safety = {
  readonly leaders: Map<Term, NodeId>;
  /** Committed entries by index - 1. */
  readonly committed: Entry[];
  /** Every entry seen, by index and term, with the term before it. */
  readonly entries: Map<string, { readonly effect: string; readonly previousTerm: Term }>;
  /** Of each read under way: what was committed when it was asked. */
  readonly reads: Map<string, LogIndex>;
};

/** A rule was broken. */
export class SafetyViolation extends Error {
  override readonly name = 'SafetyViolation';
}

/** Makes a watcher that has seen nothing. */
export function createSafety(): Safety {
  return { leaders: new Map(), committed: [], entries: new Map(), reads: new Map() };
}

/** Checks one member after it took a step. */
export function watchMember(safety: Safety, cluster: Cluster, member: Member): void {
  if (!member.isUp) return;
  watchLeader(safety, member);
  watchCommit(safety, cluster, member);
}

/** Checks what costs more: all logs and all stores. */
export function watchLogs(safety: Safety, cluster: Cluster): void {
  for (const member of cluster.members.values()) {
    if (member.isUp) watchLog(safety, member);
    member.applied.forEach((effect, slot) => {
      const entry = safety.committed[slot];
      must(entry !== undefined, `member ${member.id} applied ${slot + 1}, which is not committed`);
      must(effect === effectOf(entry), `member ${member.id} applied another entry at ${slot + 1}`);
    });
  }
}

/** A read was asked. */
export function watchReadAsked(safety: Safety, member: NodeId, read: number): void {
  safety.reads.set(`${member}/${read}`, safety.committed.length);
}

/** A read was granted. */
export function watchReadGranted(
  safety: Safety,
  member: NodeId,
  read: number,
  index: LogIndex,
): void {
  const least = safety.reads.get(`${member}/${read}`);
  must(least !== undefined, `member ${member} was granted a read that it did not ask`);
  must(index >= least, `member ${member} may read at ${index}, though ${least} was committed`);
  safety.reads.delete(`${member}/${read}`);
}

function watchLeader(safety: Safety, member: Member): void {
  const { raft } = member;
  if (raft.role !== Role.Leader) return;
  const known = safety.leaders.get(raft.term);
  if (known === member.id) return;
  must(known === undefined, `members ${known} and ${member.id} both lead term ${raft.term}`);
  safety.leaders.set(raft.term, member.id);
  const { startIndex, head, entries } = raft.log;
  for (const entry of safety.committed.slice(startIndex)) {
    const own = entries[head + entry.index - startIndex - 1];
    must(own?.term === entry.term, `leader ${member.id} lacks ${entry.index}/${entry.term}`);
  }
}

function watchCommit(safety: Safety, cluster: Cluster, member: Member): void {
  const { commitIndex, startIndex, head, entries } = member.raft.log;
  for (let index = safety.committed.length + 1; index <= commitIndex; index += 1) {
    const entry = entries[head + index - startIndex - 1];
    must(entry !== undefined, `member ${member.id} committed ${index} and does not have it`);
    watchDurability(cluster, member.raft.configuration, entry);
    safety.committed.push(entry);
  }
  for (let index = startIndex + 1; index <= commitIndex; index += 1) {
    const own = entries[head + index - startIndex - 1];
    const isSame = own?.term === safety.committed[index - 1]?.term;
    must(isSame, `member ${member.id} committed another entry at ${index}`);
  }
}

/** @param configuration of the member that commits, which leads or has heard from who does */
function watchDurability(cluster: Cluster, configuration: Configuration, entry: Entry): void {
  const { index, term } = entry;
  for (const ids of [configuration.voters, configuration.outgoing]) {
    if (ids.length === 0) continue;
    const copies = ids.filter((id) => hasOnDisk(cluster.members.get(id), entry)).length;
    const needed = Math.floor(ids.length / 2) + 1;
    must(copies >= needed, `${index}/${term} is committed with ${copies} copies of ${needed}`);
  }
}

function hasOnDisk(member: Member | undefined, { index, term }: Entry): boolean {
  if (member === undefined) return false;
  const { snapshot, entries } = member.disk;
  return index <= snapshot.index || entries[index - snapshot.index - 1]?.term === term;
}

function watchLog(safety: Safety, member: Member): void {
  const { startTerm, head, entries } = member.raft.log;
  let previousTerm = startTerm;
  for (let slot = head; slot < entries.length; slot += 1) {
    const entry = entries[slot]!;
    const key = `${entry.index}/${entry.term}`;
    const known = safety.entries.get(key);
    if (known === undefined) safety.entries.set(key, { effect: effectOf(entry), previousTerm });
    else {
      must(known.effect === effectOf(entry), `${key} is two entries`);
      must(known.previousTerm === previousTerm, `${key} follows two entries`);
    }
    previousTerm = entry.term;
  }
}

function must(ok: boolean, sentence: string): asserts ok {
  if (!ok) throw new SafetyViolation(sentence);
}
