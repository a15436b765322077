/**
 * The commands of the interaction scripts. Each takes the cluster and its words, and returns the
 * lines that the script must show.
 *
 *   nodes 1,2,3 learners=4 election=10      a new cluster; every setting is optional
 *   disk 2 log=1,1,2 term=3 vote=1 commit=2 starts member 2 from a disk: the terms of its entries
 *   tick 1 count=10                         ticks members, one after the other
 *   elect 1                                 member 1 times out and wins; shows nothing
 *   timeout 3                               ticks member 3 until it campaigns
 *   ready 1 / sync 1                        one Ready in full / syncs what waits
 *   deliver / drop / wire [1->2] [type=X]   the messages on their way, all or some
 *   settle [quiet]                          Readys, syncs and deliveries until nothing moves
 *   hold 1 / release 1                      the disk of 1 stops or goes on syncing in settle
 *   cut 1,2 / cut 1-2 / heal                no messages of members / between two / all again
 *   crash 1 / start 1                       unsynced writes are lost / starts again from the disk
 *   propose 1 a b / read 1 7 8 / transfer 1 2 / compact 1 5
 *   trim 1 entries=2 catch-up=5000          member 1 keeps so much of its log, or for a snapshot
 *   lost 2 1 / unreachable 1 2              member 2 hears that the connection to 1 broke
 *   send-snapshot 1 2                       member 1 sends 2 what it has applied, asked or not
 *   soon 2                                  member 2 hears that it can reach a majority
 *   change 1 1,2,3 learners=4               member 1 is asked for a new configuration
 *   join 4                                  member 4 starts with nothing, not even a configuration
 *   snapshot-lost 1 2                       member 1 hears that its snapshot did not arrive at 2
 *   step 1 Append from=2 term=3 ...         a message out of nowhere
 *   status / progress 1 / logs              what members know
 */

import type { Configuration, Entry, Message, NodeId } from '../../include/node.ts';
import {
  ChangeResult,
  EntryType,
  MessageType,
  NO_NODE,
  ProposeResult,
  TransferResult,
} from '../../include/node.ts';
import {
  changeConfiguration,
  compact,
  compactTo,
  electSoon,
  isLeader,
  peerLost,
  peerUnreachable,
  propose,
  readIndex,
  snapshotSent,
  tick,
  transferLeader,
} from '../../src/node/raft/raft.ts';
import type { Cluster, Member, Parcel } from './cluster.ts';
import {
  addMember,
  crash,
  createCluster,
  DEFAULT_SETTINGS,
  deliver,
  emptyDisk,
  memberOf,
  NO_MEMBERS,
  restart,
  sendSnapshot,
  syncMember,
  takeReady,
} from './cluster.ts';
import {
  formatLog,
  formatMessage,
  formatOutcome,
  formatProgress,
  formatReady,
  formatStatus,
  typeName,
} from './format.ts';

/** A script under way. */
export type Session = {
  cluster: Cluster;
  /** Members whose disk does not sync in settle. */
  readonly held: Set<NodeId>;
  /** Links that carry nothing, as `from->to`. */
  readonly cut: Set<string>;
};

/** A command's words after its name. */
export type Words = { readonly plain: string[]; readonly named: Map<string, string> };

type Command = (session: Session, words: Words) => string[];

/** More turns than any script needs to come to rest. */
const SETTLE_TURNS_MAX = 500;

/** Makes a session; a script begins with `nodes`. */
export function createSession(): Session {
  const configuration = { voters: [1], outgoing: [], learners: [] };
  const cluster = createCluster(configuration, DEFAULT_SETTINGS);
  return { cluster, held: new Set(), cut: new Set() };
}

/** All commands by name. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries<Command>({
    nodes,
    disk,
    tick: tickMembers,
    elect: (session, words) => {
      timeout(session, words);
      settle(session, { plain: ['quiet'], named: new Map() });
      if (!isLeader(first(session, words).raft)) throw new Error('the election was not won');
      return [];
    },
    timeout,
    ready: (session, words) => {
      const member = first(session, words);
      const output = takeReady(session.cluster, member);
      return output === undefined ? [] : formatReady(member.id, output);
    },
    sync: (session, words) => {
      const member = first(session, words);
      syncMember(session.cluster, member, member.unsynced.length);
      return [];
    },
    deliver: deliverSome,
    drop: (session, words) => {
      const dropped = take(session, words);
      return dropped.map(({ message }) => formatMessage(message));
    },
    wire: (session, words) => {
      const shown = session.cluster.wire.filter((parcel) => isMeant(parcel, words));
      return shown.map(({ message }) => formatMessage(message));
    },
    settle,
    hold: (session, words) => {
      session.held.add(first(session, words).id);
      return [];
    },
    release: (session, words) => {
      session.held.delete(first(session, words).id);
      return [];
    },
    cut,
    heal: (session) => {
      session.cut.clear();
      return [];
    },
    crash: (session, words) => {
      crash(first(session, words), 0);
      return [];
    },
    start: (session, words) => {
      const member = first(session, words);
      restart(session.cluster, member, member.applied.length);
      return [];
    },
    propose: proposeAll,
    read: (session, words) => {
      const member = first(session, words);
      for (const id of words.plain.slice(1)) readIndex(member.raft, Number(id));
      return [];
    },
    transfer: (session, words) => {
      const result = transferLeader(first(session, words).raft, second(words));
      return result === TransferResult.Accepted ? [] : [nameOf(TransferResult, result)];
    },
    compact: (session, words) => {
      compact(first(session, words).raft, second(words));
      return [];
    },
    trim: ({ cluster }, { plain, named }) => {
      const { raft, applied } = memberOf(cluster, Number(plain[0]));
      const entriesMax = Number(named.get('entries') ?? 0);
      const catchUpBytesMax = Number(named.get('catch-up') ?? 0);
      const limits = { entriesMax, bytesMax: Number.POSITIVE_INFINITY, catchUpBytesMax };
      compactTo(raft, limits, applied.length);
      return [];
    },
    lost: (session, words) => {
      peerLost(first(session, words).raft, second(words));
      return [];
    },
    soon: (session, words) => {
      electSoon(first(session, words).raft);
      return [];
    },
    change: (session, words) => {
      const [id = '', voters = ''] = words.plain;
      const target = configurationOf({ plain: [voters], named: words.named });
      const result = changeConfiguration(memberOf(session.cluster, Number(id)).raft, target);
      return result === ChangeResult.Accepted ? [] : [nameOf(ChangeResult, result)];
    },
    join: (session, words) => {
      addMember(session.cluster, Number(words.plain[0]), emptyDisk(NO_MEMBERS));
      return [];
    },
    unreachable: (session, words) => {
      peerUnreachable(first(session, words).raft, second(words));
      return [];
    },
    'send-snapshot': (session, words) => {
      sendSnapshot(session.cluster, first(session, words), second(words));
      return [];
    },
    'snapshot-lost': (session, words) => {
      snapshotSent(first(session, words).raft, second(words), false, 0);
      return [];
    },
    step: stepMessage,
    status: (session) => [...session.cluster.members.values()].map(formatStatus),
    progress: (session, words) => formatProgress(first(session, words).raft),
    logs: (session) => {
      return [...session.cluster.members.values()].map(({ raft }) => formatLog(raft));
    },
  }),
);

function nodes(session: Session, words: Words): string[] {
  const { named } = words;
  const number = (name: string, otherwise: number): number => Number(named.get(name) ?? otherwise);
  const settings = {
    heartbeatTicks: number('heartbeat', DEFAULT_SETTINGS.heartbeatTicks),
    electionTicks: number('election', DEFAULT_SETTINGS.electionTicks),
    lostLeaderStaggerTicks: number('stagger', DEFAULT_SETTINGS.lostLeaderStaggerTicks),
    appendBytesMax: number('append-bytes', DEFAULT_SETTINGS.appendBytesMax),
    inflightMessagesMax: number('inflight', DEFAULT_SETTINGS.inflightMessagesMax),
    inflightBytesMax: number('inflight-bytes', DEFAULT_SETTINGS.inflightBytesMax),
    uncommittedBytesMax: number('uncommitted', DEFAULT_SETTINGS.uncommittedBytesMax),
    randomOf: DEFAULT_SETTINGS.randomOf,
  };
  session.cluster = createCluster(configurationOf(words), settings);
  return [];
}

function disk(session: Session, words: Words): string[] {
  const { cluster } = session;
  const terms = idsOf(words.named.get('log'));
  const entries = terms.map((term, i) => entryOf(i + 1, term, `x${i + 1}.${term}`));
  const term = Number(words.named.get('term') ?? terms[terms.length - 1] ?? 0);
  const vote = Number(words.named.get('vote') ?? NO_NODE);
  const commit = Number(words.named.get('commit') ?? 0);
  const { configuration } = cluster;
  const snapshot = { index: 0, term: 0, configuration };
  addMember(cluster, Number(words.plain[0]), {
    hardState: { term, vote, commit },
    snapshot,
    entries,
  });
  return [];
}

function tickMembers(session: Session, words: Words): string[] {
  const count = Number(words.named.get('count') ?? 1);
  for (let i = 0; i < count; i += 1) {
    for (const id of words.plain.flatMap(idsOf)) tick(memberOf(session.cluster, id).raft);
  }
  return [];
}

function timeout(session: Session, words: Words): string[] {
  const { raft } = first(session, words);
  do tick(raft);
  while (raft.electionElapsedTicks !== 0);
  return [];
}

function deliverSome(session: Session, words: Words): string[] {
  const lines: string[] = [];
  for (const parcel of take(session, words)) {
    if (isCut(session, parcel)) continue;
    lines.push(formatMessage(parcel.message));
    deliver(session.cluster, parcel);
  }
  return lines;
}

function settle(session: Session, words: Words): string[] {
  const isQuiet = words.plain.includes('quiet');
  const { cluster, held } = session;
  const lines: string[] = [];
  for (let turn = 0; turn < SETTLE_TURNS_MAX; turn += 1) {
    for (const member of cluster.members.values()) {
      let output = takeReady(cluster, member);
      while (output !== undefined) {
        lines.push(...formatOutcome(member.id, output));
        if (!held.has(member.id)) syncMember(cluster, member, member.unsynced.length);
        output = takeReady(cluster, member);
      }
      if (!held.has(member.id)) syncMember(cluster, member, member.unsynced.length);
    }
    if (cluster.wire.length === 0) return lines;
    const delivered = deliverSome(session, { plain: [], named: new Map() });
    if (!isQuiet) lines.push(...delivered);
  }
  throw new Error('the cluster does not come to rest');
}

function cut(session: Session, words: Words): string[] {
  for (const word of words.plain) {
    const pair = word.split('-');
    if (pair.length === 2) {
      session.cut.add(`${pair[0]}->${pair[1]}`).add(`${pair[1]}->${pair[0]}`);
      continue;
    }
    for (const id of idsOf(word)) {
      for (const other of session.cluster.members.keys()) {
        session.cut.add(`${id}->${other}`).add(`${other}->${id}`);
      }
    }
  }
  return [];
}

function proposeAll(session: Session, words: Words): string[] {
  const { raft } = first(session, words);
  const refused: string[] = [];
  for (const text of words.plain.slice(1)) {
    // `x*500` is 500 times x.
    const [body = '', times = '1'] = text.split('*');
    const result = propose(raft, EntryType.Command, Buffer.from(body.repeat(Number(times))));
    if (result !== ProposeResult.Accepted) refused.push(nameOf(ProposeResult, result));
  }
  return refused;
}

function stepMessage(session: Session, words: Words): string[] {
  const member = first(session, words);
  const { named } = words;
  const number = (name: string): number => Number(named.get(name) ?? 0);
  const name = words.plain[1] as keyof typeof MessageType;
  const message: Message = {
    type: MessageType[name],
    from: number('from'),
    to: member.id,
    term: number('term'),
    index: number('index'),
    logTerm: number('log-term'),
    commit: number('commit'),
    context: number('context'),
    reject: words.plain.includes('refused'),
    hint: number('hint'),
    entries: (named.get('entries') ?? '').split(',').filter(Boolean).map(entryFrom),
  };
  deliver(session.cluster, { message });
  return [];
}

/** Takes the messages meant off the wire. */
function take(session: Session, words: Words): Parcel[] {
  const { cluster } = session;
  const taken = cluster.wire.filter((parcel) => isMeant(parcel, words));
  cluster.wire = cluster.wire.filter((parcel) => !isMeant(parcel, words));
  return taken;
}

function isMeant({ message }: Parcel, words: Words): boolean {
  const type = words.named.get('type');
  if (type !== undefined && type !== typeName(message.type)) return false;
  if (words.plain.length === 0) return true;
  return words.plain.includes(`${message.from}->${message.to}`);
}

function isCut(session: Session, { message }: Parcel): boolean {
  return session.cut.has(`${message.from}->${message.to}`);
}

function first(session: Session, words: Words): Member {
  return memberOf(session.cluster, Number(words.plain[0]));
}

function second(words: Words): number {
  return Number(words.plain[1]);
}

function configurationOf({ plain, named }: Words): Configuration {
  return {
    voters: idsOf(plain[0]),
    outgoing: idsOf(named.get('outgoing')),
    learners: idsOf(named.get('learners')),
  };
}

function idsOf(list: string | undefined): number[] {
  return (list ?? '').split(',').filter(Boolean).map(Number);
}

function entryFrom(text: string): Entry {
  const [index, term] = text.split('/').map(Number);
  return entryOf(index ?? 0, term ?? 0, `x${text}`);
}

function entryOf(index: number, term: number, text: string): Entry {
  return { index, term, type: EntryType.Command, data: Buffer.from(text) };
}

function nameOf(table: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(table).find((name) => table[name] === value) ?? '?';
}
