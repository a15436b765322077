/**
 * What must hold of the members at every moment, watched from outside (thesis figure 3.2): at most
 * one leader a term, a new leader has all that is committed, what is committed never changes, logs
 * match, and members that have applied the same entries are in the same state.
 */

import { crc32 } from 'node:zlib';
import type { Configuration, Entry, LogIndex, NodeId, Term } from '../../include/node.ts';
import { EntryType, Role } from '../../include/node.ts';
import { decodeConfiguration } from '../../src/configuration.ts';
import type { Store } from '../../src/kvstore/store.ts';
import { checkRaft } from '../../src/node/raft/check.ts';
import { entryAt, lastIndexOf } from '../../src/node/raft/log.ts';
import type { Raft } from '../../src/node/raft/raft.ts';
import { wasRemoved } from '../../src/node/roster.ts';
import type { Tally } from './tally.ts';
import { must } from './violation.ts';

/** What a log says at an index. */
type LogMark = { readonly term: Term; readonly dataHash: number };

/** A committed entry, and the term of the member that was first seen to know that it is. */
type CommitMark = LogMark & { readonly knownTerm: Term };

/** The state behind an entry. */
type StateMark = {
  readonly revision: number;
  /** The configuration; empty where a member that joins does not know it yet. */
  members: string;
  hash: number | undefined;
  readonly node: NodeId;
};

/** What is watched of one process of a member. */
export type Watched = {
  readonly id: NodeId;
  readonly raft: Raft;
  /** Up to here its committed entries were compared. */
  checkedIndex: LogIndex;
  /** The entries that were compared, by index: the core keeps the very objects. */
  readonly compared: Entry[];
  steps: number;
  /** The term in which it was seen to lead when it was last looked at; 0 for none. */
  leadsTerm: Term;
};

/** Steps of a member between two looks at its whole log. */
const LOG_CHECK_STEPS = 200;

/** Entries between two comparisons of whole states. */
const STATE_CHECK_ENTRIES = 32;

/** Watches all members of a cluster. */
export class Safety {
  readonly #leaders: Map<Term, NodeId> = new Map();
  /** By index - 1. */
  readonly #committed: CommitMark[] = [];
  /** Every entry ever seen, by index and term: what it is, and the term before it. */
  readonly #entries: Map<string, { readonly dataHash: number; readonly before: Term }> = new Map();
  readonly #states: Map<LogIndex, StateMark> = new Map();
  readonly #texts: WeakMap<Configuration, string> = new WeakMap();
  readonly #tally: Tally;
  readonly #looksInside: boolean;
  #configuration: Configuration;

  /**
   * @param configuration what the cluster is born with
   * @param looksInside whether the cores' own invariants are asserted too
   */
  constructor(configuration: Configuration, tally: Tally, looksInside: boolean) {
    this.#configuration = configuration;
    this.#tally = tally;
    this.#looksInside = looksInside;
  }

  /** The newest one that is committed. */
  get configuration(): Configuration {
    return this.#configuration;
  }

  /** Terms that had a leader. */
  get leaderCount(): number {
    return this.#leaders.size;
  }

  get committedCount(): number {
    return this.#committed.length;
  }

  /** Starts to watch a process that has just started. */
  watch(raft: Raft): Watched {
    return {
      id: raft.id,
      raft,
      checkedIndex: raft.log.startIndex,
      compared: [],
      steps: 0,
      leadsTerm: 0,
    };
  }

  /** Looks at a member that has done something. */
  look(watched: Watched): void {
    this.#lookAtLeader(watched);
    this.#lookAtCommits(watched);
    watched.leadsTerm = watched.raft.role === Role.Leader ? watched.raft.term : 0;
    watched.steps += 1;
    if (watched.steps % LOG_CHECK_STEPS === 0) this.lookAtLog(watched);
  }

  /** Looks at the whole log of a member. */
  lookAtLog({ id, raft, compared }: Watched): void {
    if (this.#looksInside) checkRaft(raft);
    const { log } = raft;
    let before = log.startTerm;
    for (let index = log.startIndex + 1; index <= lastIndexOf(log); index += 1) {
      const entry = entryAt(log, index);
      if (compared[index] !== entry) {
        this.#compareEntry(id, entry, before);
        compared[index] = entry;
      }
      before = entry.term;
    }
  }

  /** A node has ended itself since it was removed. */
  endedAsRemoved(id: NodeId): void {
    const isTrue = wasRemoved(this.#configuration, id);
    must(isTrue, 'only who was removed ends as removed', () => `member ${id}`);
  }

  #compareEntry(id: NodeId, entry: Entry, before: Term): void {
    const { dataHash } = markOf(entry);
    const key = `${entry.index}/${entry.term}`;
    const known = this.#entries.get(key);
    if (known === undefined) this.#entries.set(key, { dataHash, before });
    else {
      const isSame = known.dataHash === dataHash && known.before === before;
      must(isSame, 'logs match', () => `member ${id} has another entry ${key}`);
    }
  }

  /** A member has applied an entry. */
  applied(id: NodeId, store: Store): void {
    const { index } = store.applied();
    this.#compare(id, store, index % STATE_CHECK_ENTRIES === 0 ? store.hash() : undefined);
  }

  /** Compares the whole state of a member. */
  compareState(id: NodeId, store: Store): void {
    this.#compare(id, store, store.hash());
  }

  #compare(id: NodeId, store: Store, hash: number | undefined): void {
    const { index, configuration } = store.applied();
    const revision = store.revision();
    const members = this.#told(configuration);
    const known = this.#states.get(index);
    if (known === undefined) {
      this.#states.set(index, { revision, members, hash, node: id });
      return;
    }
    const property = 'the same entries make the same state';
    const who = `members ${known.node} and ${id} behind entry ${index}`;
    must(known.revision === revision, property, () => `${who}: ${known.revision}, ${revision}`);
    const isKnown = known.members !== '' && members !== '';
    const isAgreed = !isKnown || known.members === members;
    must(isAgreed, property, () => `${who}: ${known.members}, ${members}`);
    const isSame = hash === undefined || known.hash === undefined || known.hash === hash;
    must(isSame, property, () => `${who}: hashes ${known.hash}, ${hash}`);
    known.hash ??= hash;
    known.members ||= members;
  }

  /** A configuration as text, put together once. */
  #told(configuration: Configuration): string {
    const known = this.#texts.get(configuration);
    if (known !== undefined) return known;
    const { voters, outgoing, learners, roster } = configuration;
    const isEmpty = voters.length === 0;
    const text = isEmpty ? '' : JSON.stringify([voters, outgoing, learners, roster]);
    this.#texts.set(configuration, text);
    return text;
  }

  #lookAtLeader({ id, raft }: Watched): void {
    if (raft.role !== Role.Leader) return;
    const known = this.#leaders.get(raft.term);
    if (known === id) return;
    must(known === undefined, 'one leader a term', () => `${known} and ${id} lead ${raft.term}`);
    this.#leaders.set(raft.term, id);
    const { log } = raft;
    for (let index = log.startIndex + 1; index <= this.#committed.length; index += 1) {
      const known = this.#committed[index - 1];
      // One that learns late of its election may be deposed already, and lack what followed.
      if (known === undefined || known.knownTerm >= raft.term) continue;
      const own = index <= lastIndexOf(log) ? markOf(entryAt(log, index)) : undefined;
      must(
        isSameMark(own, known),
        'a leader has all that is committed',
        () => `${id} lacks entry ${index}`,
      );
    }
  }

  /** A leader counts copies of its own entries only (thesis 3.6.2, figure 3.7). */
  #lookAtRule({ id, raft, leadsTerm }: Watched): void {
    const { term, log } = raft;
    if (raft.role !== Role.Leader || leadsTerm !== term) return;
    const isOwn = entryAt(log, log.commitIndex).term === term;
    must(isOwn, 'a leader commits through its own term', () => `${id}, entry ${log.commitIndex}`);
  }

  #lookAtCommits(watched: Watched): void {
    const { id, raft } = watched;
    const { log } = raft;
    if (log.commitIndex === watched.checkedIndex) return;
    const from = Math.max(watched.checkedIndex, log.startIndex) + 1;
    for (let index = from; index <= log.commitIndex; index += 1) {
      const entry = entryAt(log, index);
      const mark = markOf(entry);
      const known = this.#committed[index - 1];
      if (known === undefined) {
        this.#committed[index - 1] = { ...mark, knownTerm: raft.term };
        this.#follow(entry);
      } else {
        const isSame = isSameMark(known, mark);
        must(isSame, 'what is committed never changes', () => `member ${id}, entry ${index}`);
      }
    }
    watched.checkedIndex = log.commitIndex;
    this.#lookAtRule(watched);
  }

  /** An entry is committed for the first time. */
  #follow({ type, data }: Entry): void {
    if (type !== EntryType.Configuration) return;
    const configuration = decodeConfiguration(data);
    must(configuration !== undefined, 'a configuration can be read', () => data.toString('hex'));
    this.#configuration = configuration;
    const isJoint = configuration.outgoing.length > 0;
    this.#tally.count(isJoint ? 'joint configuration' : 'configuration');
  }
}

function markOf(entry: Entry): LogMark {
  return { term: entry.term, dataHash: crc32(entry.data, entry.type) };
}

function isSameMark(one: LogMark | undefined, other: LogMark | undefined): boolean {
  return one?.term === other?.term && one?.dataHash === other?.dataHash;
}
