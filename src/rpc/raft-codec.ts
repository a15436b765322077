/**
 * Messages between two cores, all in one layout. Byte table: docs/PROTOCOL.md 10.
 *
 * The entries of an Append are copied out of the frame once, together; each entry's data is a view
 * of that copy, which nobody writes to again.
 */

import {
  type Entry,
  EntryType,
  type Message,
  MessageType,
  NO_ENTRIES,
  type NodeId,
} from '../../include/node.ts';
import { ErrorCode, KvorumError } from '../../include/rpc.ts';
import { BodyReader, malformed } from './body-reader.ts';
import type { FrameWriter } from './frame-writer.ts';

const body = new BodyReader();

const ENTRY_BYTES_MIN = 21;
const ENTRY_TYPE_MAX: number = EntryType.Configuration;

/** Whether a frame of this type is a message between two cores. */
export function isMessageType(type: number): boolean {
  return type >= MessageType.PreVote && type <= MessageType.TimeoutNow;
}

/** Writes a message as one frame. */
export function writeMessage(writer: FrameWriter, message: Message): void {
  writer.begin(message.type, 0);
  writer.node(message.from);
  writer.node(message.to);
  writer.u64(message.term);
  writer.u64(message.index);
  writer.u64(message.logTerm);
  writer.u64(message.commit);
  writer.u64(message.context);
  writer.u64(message.hint);
  writer.flag(message.reject);
  const entries = message.entries;
  writer.u32(entries.length);
  for (let slot = 0; slot < entries.length; slot += 1) writeEntry(writer, entries[slot]!);
  writer.end();
}

/**
 * Reads a message.
 *
 * Its entries follow each other and the message's index without a gap, in terms that never fall and
 * never exceed the sender's.
 *
 * @throws KvorumError FrameUnknown, FrameMalformed
 */
export function decodeMessage(type: number, buffer: Buffer, start: number, end: number): Message {
  if (!isMessageType(type)) {
    throw new KvorumError(
      ErrorCode.FrameUnknown,
      `frame type ${type} is no message between members`,
    );
  }
  body.open(buffer, start, end);
  const from = body.node('from');
  const to = body.node('to');
  const term = body.u64('term');
  const index = body.u64('index');
  const logTerm = body.u64('log term');
  const commit = body.u64('commit');
  const context = body.u64('context');
  const hint = body.u64('hint');
  const reject = body.flag('reject');
  const count = body.count('entries', ENTRY_BYTES_MIN);
  const entries = count === 0 ? NO_ENTRIES : decodeEntries(count, index, logTerm, term);
  body.close();
  if (count > 0 && type !== MessageType.Append)
    throw malformed('entries', 'only an Append has any');
  return {
    type: type as MessageType,
    from,
    to,
    term,
    index,
    logTerm,
    commit,
    context,
    reject,
    hint,
    entries,
  };
}

/**
 * Reads a message that must be of one member to another.
 *
 * @throws KvorumError FrameUnknown, FrameMalformed
 */
export function decodeMessageBetween(
  from: NodeId,
  to: NodeId,
  type: number,
  buffer: Buffer,
  start: number,
  end: number,
): Message {
  const message = decodeMessage(type, buffer, start, end);
  if (message.from !== from) throw malformed('from', `${message.from} is not ${from}`);
  if (message.to !== to) throw malformed('to', `${message.to} is not ${to}`);
  return message;
}

function writeEntry(writer: FrameWriter, entry: Entry): void {
  writer.u32(entry.data.length);
  writer.u8(entry.type);
  writer.u64(entry.term);
  writer.u64(entry.index);
  writer.bytes(entry.data);
}

function decodeEntries(
  count: number,
  previousIndex: number,
  logTerm: number,
  term: number,
): Entry[] {
  const owned = Buffer.from(body.rest());
  const entries: Entry[] = [];
  body.open(owned, 0, owned.length);
  let leastTerm = Math.max(logTerm, 1);
  for (let slot = 0; slot < count; slot += 1) {
    const dataBytes = body.u32('entry length');
    const type = body.choice('entry type', ENTRY_TYPE_MAX) as EntryType;
    const entryTerm = body.u64('entry term');
    const index = body.u64('entry index');
    if (entryTerm < leastTerm || entryTerm > term) {
      throw malformed('entry term', `${entryTerm} is outside ${leastTerm} to ${term}`);
    }
    if (index !== previousIndex + 1 + slot) {
      throw malformed('entry index', `${index} does not follow ${previousIndex + slot}`);
    }
    entries.push({ index, term: entryTerm, type, data: body.bytes('entry data', dataBytes) });
    leastTerm = entryTerm;
  }
  return entries;
}
