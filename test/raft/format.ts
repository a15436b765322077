/** How the interaction scripts show what cores say: one line a thing, the same words everywhere. */

import type {
  Entry,
  HardState,
  Message,
  NodeId,
  RaftEvent,
  Ready,
  Role,
} from '../../include/node.ts';
import { EntryType, MessageType, NO_NODE, ProgressState } from '../../include/node.ts';
import type { Raft } from '../../src/node/raft/raft.ts';
import { lastIndex, raftStatus } from '../../src/node/raft/raft.ts';
import { describeConfiguration, effectOf, type Member } from './cluster.ts';

const ROLE_NAMES = ['follower', 'pre-candidate', 'candidate', 'leader'] as const;

const TYPE_NAMES = new Map(Object.entries(MessageType).map(([name, type]) => [type, name]));

/** The name of a role. */
export function roleName(role: Role): string {
  return ROLE_NAMES[role];
}

/** The name of a message's type. */
export function typeName(type: MessageType): string {
  return TYPE_NAMES.get(type) ?? '?';
}

/** An id, or a dash for none. */
export function nodeName(id: NodeId): string {
  return id === NO_NODE ? '-' : String(id);
}

/** `index/term "data"`, nothing more for an Empty entry, `{lists}` for a configuration. */
export function formatEntry(entry: Entry): string {
  const effect = effectOf(entry);
  if (entry.type === EntryType.Configuration) return `${entry.index}/${entry.term} {${effect}}`;
  const shown = effect.length > 12 ? `${effect.slice(0, 4)}..${effect.length}` : effect;
  return `${entry.index}/${entry.term}${effect === '' ? '' : ` "${shown}"`}`;
}

/** A message with the fields that its type uses. */
export function formatMessage(message: Message): string {
  const { type, from, to, term, index, logTerm, commit, context, reject, hint, entries } = message;
  const head = `${from}->${to} ${typeName(type)} term=${term}`;
  const refused = reject ? ' REFUSED' : '';
  switch (type) {
    case MessageType.PreVote:
    case MessageType.Vote:
      return `${head} last=${index}/${logTerm}${context === 0 ? '' : ' transfer'}`;
    case MessageType.Append: {
      const list = entries.length === 0 ? '' : ` [${entries.map(formatEntry).join(', ')}]`;
      return `${head} prev=${index}/${logTerm} commit=${commit}${list}`;
    }
    case MessageType.AppendReply:
      return reject
        ? `${head} index=${index}${refused} hint=${hint}/${logTerm}`
        : `${head} index=${index}`;
    case MessageType.Heartbeat:
      return `${head} commit=${commit}${context === 0 ? '' : ` read=${context}`}`;
    case MessageType.HeartbeatReply:
    case MessageType.ReadIndex:
      return `${head}${context === 0 ? '' : ` read=${context}`}`;
    case MessageType.ReadIndexReply:
      return `${head} read=${context}${refused}${reject ? '' : ` index=${index}`}`;
    case MessageType.Snapshot:
      return `${head} snapshot=${index}/${logTerm}`;
    default:
      return `${head}${refused}`;
  }
}

/** A hard state. */
export function formatHardState(hardState: HardState): string {
  const { term, vote, commit } = hardState;
  return `term=${term} vote=${nodeName(vote)} commit=${commit}`;
}

/** An event, as a line of its member. */
export function formatEvent(id: NodeId, event: RaftEvent): string {
  switch (event.kind) {
    case 'role':
      return `${id} is ${roleName(event.role)} term=${event.term}: ${event.reason}`;
    case 'leader':
      return `${id} follows ${nodeName(event.leader)} term=${event.term}`;
    case 'vote': {
      const what = event.pre ? 'pre-vote' : 'vote';
      const verb = event.granted ? 'grants' : 'refuses';
      return `${id} ${verb} ${event.candidate} its ${what} term=${event.term}`;
    }
    case 'transfer-aborted':
      return `${id} gives up the transfer to ${event.target}: ${event.reason}`;
    case 'configuration':
      return `${id} takes configuration ${event.index}: ${describeConfiguration(event.of)}`;
    case 'committed-conflict':
      return `${id} refuses ${event.from}: conflict with committed entries at ${event.index}`;
  }
}

/** What a Ready means to clients and operators: events, applied entries, reads, snapshots. */
export function formatOutcome(id: NodeId, output: Ready): string[] {
  const lines = output.events.map((event) => formatEvent(id, event));
  if (output.snapshot !== undefined) {
    const { index, term } = output.snapshot;
    lines.push(`${id} restores snapshot ${index}/${term}`);
  }
  if (output.committed.length > 0) {
    lines.push(`${id} applies ${output.committed.map(formatEntry).join(', ')}`);
  }
  for (const read of output.reads) lines.push(`${id} may answer read ${read.id} at ${read.index}`);
  for (const read of output.readsRefused) lines.push(`${id} must ask read ${read} again`);
  for (const { to } of output.snapshotsWanted) lines.push(`${id} wants a snapshot sent to ${to}`);
  return lines;
}

/** All of a Ready. */
export function formatReady(id: NodeId, output: Ready): string[] {
  const lines = formatOutcome(id, output);
  const { hardState, entries, writeNumber } = output;
  if (hardState !== undefined || entries.length > 0) {
    const sync = output.mustSync ? `write ${writeNumber}` : 'write without sync';
    const state = hardState === undefined ? '' : ` ${formatHardState(hardState)}`;
    const list = entries.length === 0 ? '' : ` [${entries.map(formatEntry).join(', ')}]`;
    lines.push(`${id} ${sync}:${state}${list}`);
  }
  for (const message of output.messages) lines.push(`now ${formatMessage(message)}`);
  for (const message of output.messagesAfterSync) {
    lines.push(`after sync ${formatMessage(message)}`);
  }
  return lines;
}

/** One line about a member. */
export function formatStatus(member: Member): string {
  if (!member.isUp) return `${member.id} is down`;
  const status = raftStatus(member.raft);
  const { id, role, term, leader, lastIndex: last, lastTerm, commitIndex, persistedIndex } = status;
  const name = status.isLearner ? 'learner' : roleName(role);
  const leading = `leader=${nodeName(leader)}`;
  const log = `last=${last}/${lastTerm} synced=${persistedIndex} commit=${commitIndex}`;
  return `${id} ${name} term=${term} ${leading} ${log} applied=${member.applied.length}`;
}

/** How a leader sees its peers, a line each. */
export function formatProgress(raft: Raft): string[] {
  const names = Object.fromEntries(Object.entries(ProgressState).map(([name, at]) => [at, name]));
  return raftStatus(raft).progress.map((peer) => {
    const learner = peer.isLearner ? ' learner' : '';
    const active = peer.isActive ? '' : ' silent';
    const flight = peer.inflightCount === 0 ? '' : ` inflight=${peer.inflightCount}`;
    const place = `match=${peer.match} next=${peer.next}`;
    return `${raft.id} sees ${peer.id} ${names[peer.state]} ${place}${flight}${learner}${active}`;
  });
}

/** A log, with what is committed before the bar. */
export function formatLog(raft: Raft): string {
  const { log } = raft;
  const shown: string[] = [];
  if (log.startIndex > 0) shown.push(`(${log.startIndex}/${log.startTerm})`);
  let isBarDue = log.commitIndex > log.startIndex;
  for (const entry of log.entries.slice(log.head)) {
    shown.push(`${entry.index}/${entry.term}`);
    if (isBarDue && entry.index === log.commitIndex) {
      shown.push('|');
      isBarDue = false;
    }
  }
  return `${raft.id} log to ${lastIndex(raft)}: ${shown.join(' ')}`;
}
