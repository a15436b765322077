/**
 * How messages leave the core: in one of two queues (thesis 3.8).
 *
 * - messages: rest on nothing but what is in memory; sent at once, in parallel with the disk.
 * - messagesAfterSync: promises. A vote, an acknowledged entry and a candidate's request (it might
 *   otherwise forget the term and lead it twice) must outlive a crash before anyone hears of them.
 *
 * Which queue a message takes is fixed here, by its kind, and nowhere else.
 */

import type { Message, MessageType, NodeId } from '../../../include/node.ts';
import { NO_ENTRIES, MessageType as Type } from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import type { Raft } from './state.ts';

/** A message in the making. */
export type Draft = { -readonly [Field in keyof Message]: Message[Field] };

/** Starts a message of the current term, with all other fields empty. */
export function draft(raft: Raft, type: MessageType, to: NodeId): Draft {
  return {
    type,
    from: raft.id,
    to,
    term: raft.term,
    index: 0,
    logTerm: 0,
    commit: 0,
    context: 0,
    reject: false,
    hint: 0,
    entries: NO_ENTRIES,
  };
}

/** Queues a message; the draft is given away. */
export function post(raft: Raft, message: Draft): void {
  assert(message.to !== raft.id, 'nobody writes to himself', raft.id, message.type);
  if (!isPromise(message)) {
    raft.outbox.messages.push(message);
    return;
  }
  const { messagesAfterSync } = raft.outbox;
  // One acknowledgement covers those before it: a follower that took many Appends in a turn of
  // its loop answers once.
  const last = messagesAfterSync[messagesAfterSync.length - 1];
  if (last !== undefined && isSameAcknowledgement(last, message)) {
    if (message.index > last.index) messagesAfterSync[messagesAfterSync.length - 1] = message;
    return;
  }
  messagesAfterSync.push(message);
}

function isPromise(message: Message): boolean {
  if (message.type === Type.Vote) return true;
  return !message.reject && (message.type === Type.VoteReply || message.type === Type.AppendReply);
}

function isSameAcknowledgement(a: Message, b: Message): boolean {
  return a.type === Type.AppendReply && b.type === a.type && b.to === a.to && b.term === a.term;
}
